"""The few errors, each with what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

OPTED_OUT_AT_CARRIER = 21610
LONGEST_WAIT_SECONDS = 86_400.0


class ZerotenError(Exception):
    """Anything Zeroten raises on purpose. ``code`` is stable and public; ``status`` is what HTTP answers."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False


class StartError(ZerotenError):
    """The process must not start: a bad setting, flow file or database. The message names the file and the key."""

    code = "cannot_start"


class FileError(StartError):
    """A file that operators write is wrong; the message reads ``file: key: reason``."""

    code = "bad_file"

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}")
        self.file, self.key, self.reason = file, key, reason


class FlowError(FileError):
    """A flow or wording file is wrong."""

    code = "bad_flow"


class NotFound(ZerotenError):
    """What was asked for does not exist."""

    code = "not_found"
    status = 404


class Unauthorized(ZerotenError):
    """No key, or one we do not know."""

    code = "unauthorized"
    status = 401


class Forbidden(ZerotenError):
    """A good key without the scope, or a webhook with a wrong signature."""

    code = "forbidden"
    status = 403


class TooMany(ZerotenError):
    """More came from one address than may; the next may come in ``seconds``."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong with one field; ``field`` is a dotted path such as ``customer.phone``."""

    field: str
    message: str


class Invalid(ZerotenError):
    """The request is well formed but its fields are not acceptable."""

    code = "invalid_fields"
    status = 422

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.message}" for each in problems))
        self.problems = tuple(problems)

    def errors(self) -> list[dict[str, Any]]:
        """The problems as the ``errors`` member of a problem+json body."""
        return [{"field": each.field, "message": each.message} for each in self.problems]


class CarrierError(ZerotenError):
    """The carrier said no, or said nothing. ``carrier_code`` is its own error number, where it gave one."""

    code = "carrier_error"
    status = 502

    def __init__(self, message: str, carrier_code: int | None = None, http_status: int | None = None) -> None:
        super().__init__(message)
        self.carrier_code, self.http_status = carrier_code, http_status


class CarrierRefused(CarrierError):
    """This person can never be reached this way: do not retry. ``opted_out``: they told the carrier so themselves."""

    @property
    def opted_out(self) -> bool:
        return self.carrier_code == OPTED_OUT_AT_CARRIER


class CarrierMisconfigured(CarrierError):
    """Our account or settings are at fault: stop placing and tell the operator."""


class CarrierBusy(CarrierError):
    """Nothing was placed; pause and retry."""

    retryable = True


class CarrierOutcomeUnknown(CarrierError):
    """The request may or may not have been carried out: look it up, never repeat it."""


class CrmError(ZerotenError):
    """A CRM said no, or said nothing. The message holds no secret and nothing of the customer's."""

    code = "crm_error"
    status = 502

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class CrmRefused(CrmError):
    """This answer will never be taken as it is: it is shown to people, and not tried again."""


class NoRecord(CrmRefused):
    """There is no record that the answer belongs to, or it is gone."""


class CrmMisconfigured(CrmError):
    """Our credentials or the mapping are at fault: nothing will be taken until a person mends them."""


class CrmBusy(CrmError):
    """Not now, or nobody knows: to be tried again, in ``retry_after`` seconds at the earliest where that was said."""

    retryable = True

    def __init__(
        self, message: str, http_status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, http_status)
        # Some give the end of their pause, or milliseconds, where seconds are asked for.
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_WAIT_SECONDS)


class RecogniserError(ZerotenError):
    """A recogniser of our own cannot hear this just now: no model, no room, no time, or a fault of its own."""

    code = "recogniser_error"
    status = 503
    retryable = True
