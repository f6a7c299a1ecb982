"""Kinds of destinations: what may be set for one, and how it is reached. Each vendor's file ends with its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from app.crm.options import Options
from app.ports import Crm
from app.web import GuardedHttp

Own = TypeVar("Own", bound=Options)


@dataclass(frozen=True)
class ConfiguredCrm:
    """A destination as the operator has set it up.

    ``connect`` gives its connector, which sends through our guarded HTTP; it raises `StartError` where something is
    missing on this machine, such as a library or a key file.
    """

    options: Options
    connect: Callable[[GuardedHttp], Crm] = field(repr=False)


@dataclass(frozen=True)
class CrmKind(Generic[Own]):
    """A kind of destination: its options, and the connector that they make."""

    options: type[Own]
    connect: Callable[[Own, GuardedHttp], Crm]

    def configured(self, given: Mapping[str, Any]) -> ConfiguredCrm:
        """A destination with these options. Raises pydantic's `ValidationError`."""
        own = self.options.model_validate(given)
        return ConfiguredCrm(own, partial(self.connect, own))


CrmKinds = Mapping[str, CrmKind[Any]]
"""Kinds by the name that the file of destinations gives them."""
