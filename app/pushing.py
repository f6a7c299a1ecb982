"""One push of one response, or of a batch: what came of it, and when to try again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from app.errors import CrmBusy, CrmError, CrmRefused
from app.logs import HIDDEN, hide
from app.ports import Answer, Crm
from app.store.deliveries import Claimed, Outcome

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 3600
MOST_TRIES = 10
SHORTEST_QUOTE, QUOTED = 4, 20  # characters of what is the customer's that give it away


@dataclass
class Pace:
    """Spaces pushes evenly, a little behind the clock where the pushes themselves are slow."""

    per_second: float
    _next: float = field(default_factory=time.monotonic)

    async def turn(self) -> None:
        """Wait for the next push's time."""
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
class Pushed:
    """How a push ended. ``error`` is the destination's trouble, not that of the response alone."""

    outcome: Outcome
    error: CrmError | None = None

    @property
    def reason(self) -> str:
        """Why it did not arrive."""
        return self.outcome.reason or ""


async def push_all(
    destination: Destination, claimed: Sequence[Claimed], pace: Pace, *, healthy: bool
) -> list[Pushed]:
    size = destination.crm.most_at_once
    parts = [claimed[start : start + size] for start in range(0, len(claimed), size)]
    pushed = await asyncio.gather(*(_push(destination, part, pace, healthy=healthy) for part in parts))
    return [each for part in pushed for each in part]


async def _push(
    destination: Destination, claimed: Sequence[Claimed], pace: Pace, *, healthy: bool
) -> list[Pushed]:
    await pace.turn()
    began = time.monotonic()
    try:
        remote_ids = await destination.crm.push([each.answer for each in claimed])
    except CrmRefused as refused:
        if len(claimed) > 1:  # one of them is at fault; the others need not be
            halves = claimed[: len(claimed) // 2], claimed[len(claimed) // 2 :]
            return [each for half in halves for each in await _push(destination, half, pace, healthy=healthy)]
        answer = claimed[0].answer
        reason = _discreet(refused, answer)
        survey_id = str(answer.survey_id)
        log.warning("delivery_refused", destination=destination.name, survey_id=survey_id, reason=reason)
        return [Pushed(_outcome(answer, "refused", began, reason=reason))]
    except CrmError as trouble:
        return [_put_off(each, trouble, began, healthy=healthy) for each in claimed]
    except Exception as fault:
        log.exception("connector_broke", destination=destination.name)
        broke = CrmBusy(f"the connector broke ({type(fault).__name__})")
        return [_put_off(each, broke, began, healthy=healthy) for each in claimed]
    return [
        Pushed(_outcome(each.answer, "delivered", began, remote_id=remote_id))
        for each, remote_id in zip(claimed, remote_ids, strict=True)
    ]


def _put_off(claimed: Claimed, problem: CrmError, began: float, *, healthy: bool) -> Pushed:
    """To be tried again; but what a destination fails on again and again while it takes everything else is refused."""
    if healthy and claimed.tries >= MOST_TRIES and isinstance(problem, CrmBusy):
        reason = f"given up after {claimed.tries} tries: {_discreet(problem, claimed.answer)}"
        return Pushed(_outcome(claimed.answer, "refused", began, reason=reason))
    outcome = _outcome(claimed.answer, "waiting", began, reason=_discreet(problem, claimed.answer))
    if not isinstance(problem, CrmBusy):
        return Pushed(replace(outcome, uncertain=claimed.answer.tried), problem)
    retry_in = problem.retry_after or min(2.0**claimed.tries, LONGEST_RETRY_SECONDS)
    uncertain = claimed.answer.tried or problem.http_status != 429
    return Pushed(replace(outcome, retry_in=retry_in, uncertain=uncertain), problem)


def _outcome(
    answer: Answer, status: str, began: float, *, remote_id: str | None = None, reason: str | None = None
) -> Outcome:
    return Outcome(
        survey_id=answer.survey_id,
        version=answer.version,
        event=answer.event,
        status=status,
        seconds=time.monotonic() - began,
        remote_id=remote_id,
        reason=reason,
    )


def _discreet(problem: CrmError, answer: Answer) -> str:
    """The destination's words up to where they quote the customer: reasons are logged, and told to people."""
    words = hide(str(problem))
    for private in (answer.columns.get("comment"), answer.customer.name):
        if private and len(private) >= SHORTEST_QUOTE and (place := words.find(private[:QUOTED])) >= 0:
            words = words[:place] + HIDDEN
    return words
