"""Where a call's next document comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.rehearsal.twilio.verbs import Method


@dataclass(frozen=True)
class Request:
    """A document to be fetched; ``form`` is what is sent beside the call's own fields."""

    url: str
    method: Method = "POST"
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inline:
    """A document that came with the call. It has no address, so its URLs must be absolute."""

    twiml: str


Source = Request | Inline
