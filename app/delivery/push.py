"""One push of one response, or of a batch: what came of it, and when to try again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused
from app.logs import HIDDEN, hide
from app.ports import Crm, ResponseToPush
from app.store.pushes import Claimed, PushOutcome
from app.text import mended

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 3600.0
LONGEST_HOLD_SECONDS = 300.0
FAILURES_TO_HOLD = 3
TRIES_TO_SPLIT = 3
MOST_TRIES = 10
OTHERS_FIRST_SECONDS = 10.0  # well over how often it is looked for what is due
SHORTEST_QUOTE, QUOTED = 4, 20  # characters of what is the customer's that give it away


@dataclass
class Pace:
    """Spaces pushes evenly, a little behind the clock where the pushes themselves are slow."""

    per_second: float
    _next: float = field(default_factory=time.monotonic)

    async def wait(self) -> None:
        """Wait until the next push may start."""
        now = time.monotonic()
        at = max(self._next, now)
        self._next = at + 1 / self.per_second
        await asyncio.sleep(at - now)


@dataclass(frozen=True)
class Destination:
    """A place that responses go to: those of ``queues``, or of all where none is named."""

    name: str
    crm: Crm
    per_second: float
    at_once: int
    queues: Sequence[str] = ()


@dataclass(frozen=True)
class PushResult:
    """How a push ended. ``error`` is the destination's trouble, not that of the response alone."""

    outcome: PushOutcome
    error: CrmError | None = None

    @property
    def reason(self) -> str:
        """Why the push did not arrive, without anything private; None where it did."""
        return self.outcome.reason or ""


async def push(
    destination: Destination, claimed: Sequence[Claimed], pace: Pace, failures: int
) -> list[PushResult]:
    """Push them at the set rate, after so many failures in a row."""
    size = destination.crm.most_at_once
    parts = [claimed[start : start + size] for start in range(0, len(claimed), size)]
    pushed = await asyncio.gather(*(_push(destination, part, pace, failures) for part in parts))
    return [each for part in pushed for each in part]


def asked_to_wait(errors: Sequence[CrmError]) -> float | None:
    """How long the destination itself asked to be left in peace."""
    asked = (each.retry_after or 0.0 for each in errors if isinstance(each, CrmBusy))
    return max(asked, default=0.0) or None


def hold_after(errors: Sequence[CrmError], failures: int) -> float | None:
    """How long to try nothing after so many failures in a row: as it asked, else longer with every failure."""
    if asked := asked_to_wait(errors):
        return asked
    if any(isinstance(each, CrmMisconfigured) for each in errors):
        return LONGEST_HOLD_SECONDS
    return _doubled(failures, LONGEST_HOLD_SECONDS) if failures >= FAILURES_TO_HOLD else None


async def _push(
    destination: Destination, claimed: Sequence[Claimed], pace: Pace, failures: int
) -> list[PushResult]:
    await pace.wait()
    began = time.monotonic()
    try:
        remote_ids = await destination.crm.push([each.answer for each in claimed])
        return [
            PushResult(_outcome(claim.answer, "delivered", began, remote_id=remote_id))
            for claim, remote_id in zip(claimed, remote_ids, strict=True)
        ]
    except CrmError as error:
        trouble = error
    except Exception as fault:
        log.exception("connector_broke", destination=destination.name)
        trouble = CrmBusy(f"the connector broke ({type(fault).__name__})")
    if len(claimed) > 1 and _one_is_at_fault(claimed, trouble, failures):
        halves = claimed[: len(claimed) // 2], claimed[len(claimed) // 2 :]
        return [each for half in halves for each in await _push(destination, half, pace, failures)]
    if isinstance(trouble, CrmRefused):
        return [_refused(destination, claimed[0].answer, trouble, began)]
    return [_put_off(each, trouble, began, failures) for each in claimed]


def _one_is_at_fault(claimed: Sequence[Claimed], trouble: CrmError, failures: int) -> bool:
    """Whether the others may fare better without it."""
    if isinstance(trouble, CrmRefused):
        return True
    return not failures and any(each.tries >= TRIES_TO_SPLIT for each in claimed)


def _refused(
    destination: Destination, answer: ResponseToPush, refused: CrmRefused, began: float
) -> PushResult:
    reason, survey_id = _discreet(refused, answer), str(answer.survey_id)
    log.warning("delivery_refused", destination=destination.name, survey_id=survey_id, reason=reason)
    return PushResult(_outcome(answer, "refused", began, reason=reason))


def _put_off(claimed: Claimed, problem: CrmError, began: float, failures: int) -> PushResult:
    """To be tried again; but what a destination fails on again and again while it takes everything else is refused."""
    if not failures and claimed.tries >= MOST_TRIES and problem.http_status != 429:
        reason = f"given up after {claimed.tries} tries: {_discreet(problem, claimed.answer)}"
        return PushResult(_outcome(claimed.answer, "refused", began, reason=reason))
    outcome = _outcome(claimed.answer, "waiting", began, reason=_discreet(problem, claimed.answer))
    busy = isinstance(problem, CrmBusy) and problem.http_status != 429
    retry_in = _pause(claimed, problem, failures)
    return PushResult(replace(outcome, retry_in=retry_in, uncertain=claimed.answer.tried or busy), problem)


def _pause(claimed: Claimed, problem: CrmError, failures: int) -> float:
    """Seconds until the push may be tried again. A destination that takes nothing is asked by its next push."""
    if failures:
        return (hold_after([problem], failures + 1) or 0.0) + OTHERS_FIRST_SECONDS
    return asked_to_wait([problem]) or _doubled(claimed.tries, LONGEST_RETRY_SECONDS)


def _doubled(times: int, longest: float) -> float:
    return min(2.0 ** min(times, 20), longest)


def _outcome(
    answer: ResponseToPush,
    status: str,
    began: float,
    *,
    remote_id: str | None = None,
    reason: str | None = None,
) -> PushOutcome:
    return PushOutcome(
        survey_id=answer.survey_id,
        version=answer.version,
        event=answer.event,
        status=status,
        seconds=time.monotonic() - began,
        remote_id=remote_id,
        reason=reason,
    )


def _discreet(problem: CrmError, answer: ResponseToPush) -> str:
    """The destination's words up to where they quote the customer: reasons are logged, and told to people."""
    words = hide(mended(str(problem)))
    for private in (answer.columns.get("comment"), answer.customer.name):
        if private and len(private) >= SHORTEST_QUOTE and (place := words.find(private[:QUOTED])) >= 0:
            words = words[:place] + HIDDEN
    return words
