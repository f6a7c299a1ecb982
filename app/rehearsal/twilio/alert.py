"""What the carrier's debugger would show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Alert:
    """The carrier's error or warning code and a sentence: https://www.twilio.com/docs/api/errors."""

    code: int
    message: str


class CallFailed(Exception):
    """The call cannot go on with this document: the caller hears the carrier's apology."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.alert = Alert(code, message)
