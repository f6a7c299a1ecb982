"""POST /api/v1/interactions: what ended, and what was decided about it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, SkipValidation, ValidationError

from app.errors import FieldProblem, Invalid
from app.intake.interaction import ID, INTERACTION, InteractionIn
from app.intake.triggers import Triggers
from app.store.interactions import Decision
from app.web import ApiRoute
from app.web.problems import problem_fields

LARGEST_BATCH = 5000
# Each takes much of a core and a connection for seconds, and callers need both.
BATCHES_AT_ONCE = 2
# A larger part is decided no quicker, and callers wait meanwhile for their turns.
AT_A_TIME = 500


class Chat(BaseModel):
    """How a survey inside a chat is reached."""

    token: str
    url: str


class Accepted(BaseModel):
    """What was decided about an interaction: scheduled with its time, or skipped with its reason."""

    interaction_id: str
    survey_id: UUID | None
    decision: Literal["scheduled", "skipped"]
    reason: str | None
    due_at: datetime | None
    chat: Chat | None = None


class Refused(BaseModel):
    """An item of a batch that could not be read; the others are not affected."""

    interaction_id: str | None
    status: Literal[422] = 422
    code: Literal["invalid_fields"] = "invalid_fields"
    errors: list[dict[str, Any]]


Invite = Callable[[UUID, datetime], Chat]


def router(triggers: Triggers, invite: Invite, may_trigger: Any) -> APIRouter:
    """The endpoints; ``invite`` gives the way into a chat survey that is due at a moment, and ``may_trigger`` is the
    dependency that checks the caller's key.
    """
    routes = APIRouter(
        prefix="/api/v1", route_class=ApiRoute, tags=["interactions"], dependencies=[Depends(may_trigger)]
    )

    batches = asyncio.Semaphore(BATCHES_AT_ONCE)

    @routes.post("/interactions", status_code=202)
    async def post_interaction(item: InteractionIn) -> Accepted:
        """Decide whether this person is asked, and schedule it. The same id again gets the same answer."""
        return _accepted((await triggers.accept([item]))[0], invite)

    @routes.post("/interactions:batch", status_code=202)
    async def post_interactions(
        items: list[SkipValidation[InteractionIn]],
    ) -> list[Accepted | Refused]:
        """Decide about up to 5,000 interactions at once; one that cannot be read does not hold up the others."""
        if len(items) > LARGEST_BATCH:
            raise Invalid([FieldProblem("body", f"at most {LARGEST_BATCH} interactions at once")])
        async with batches:
            parts = [items[start : start + AT_A_TIME] for start in range(0, len(items), AT_A_TIME)]
            return [answer for part in parts for answer in await _decide(triggers, part, invite)]

    return routes


async def _decide(triggers: Triggers, items: Sequence[object], invite: Invite) -> list[Accepted | Refused]:
    read = await asyncio.to_thread(lambda: [_read(item) for item in items])
    decided = await triggers.accept([item for item in read if isinstance(item, InteractionIn)])
    by_id = {decision.interaction_id: decision for decision in decided}
    return [item if isinstance(item, Refused) else _accepted(by_id[item.id], invite) for item in read]


def _read(item: object) -> InteractionIn | Refused:
    try:
        return INTERACTION.validate_python(item)
    except ValidationError as wrong:
        return Refused(interaction_id=_id_of(item), errors=problem_fields(wrong.errors()))


def _id_of(item: object) -> str | None:
    try:
        return ID.validate_python(item.get("id")) if isinstance(item, dict) else None
    except ValidationError:
        return None


def _accepted(decision: Decision, invite: Invite) -> Accepted:
    return Accepted(
        interaction_id=decision.interaction_id,
        survey_id=decision.survey_id,
        decision="scheduled" if decision.decision == "scheduled" else "skipped",
        reason=decision.reason,
        due_at=decision.due_at,
        chat=_chat(decision, invite),
    )


def _chat(decision: Decision, invite: Invite) -> Chat | None:
    if decision.survey_by != "chat" or decision.survey_id is None or decision.due_at is None:
        return None
    return invite(decision.survey_id, decision.due_at)
