"""Conversations at the carrier, and the surveys inside them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select

from app.store import Connection
from app.store.statement import Statement
from app.store.tables import OPEN, interactions, surveys


@dataclass(frozen=True)
class Thread:
    """A survey that is under way in a conversation; ``author`` is whose messages are answers, None for anybody's."""

    survey_id: UUID
    author: str | None


ATTRIBUTES = interactions.c.attributes
THEIR_SURVEYS = surveys.c.interaction_id == interactions.c.id
READ = Statement.of(
    select(surveys.c.id.label("survey_id"), ATTRIBUTES["conversation_author"].astext.label("author"))
    .join(interactions, THEIR_SURVEYS)
    .where(
        ATTRIBUTES.has_key("conversation_sid"),
        ATTRIBUTES["conversation_sid"].astext == bindparam("sid"),
        surveys.c.channel == "chat",
        surveys.c.status.in_(OPEN),
        surveys.c.conversation.is_not(None),
    )
    .order_by(surveys.c.created_at.desc())
    .limit(1),
    Thread,
)


async def read(connection: Connection, conversation_sid: str) -> Thread | None:
    """The newest open survey of a conversation, once its first question has been asked."""
    return await READ.first(connection, sid=conversation_sid)


SID_OF = Statement.of(
    select(ATTRIBUTES["conversation_sid"].astext)
    .join(surveys, THEIR_SURVEYS)
    .where(surveys.c.id == bindparam("survey_id"))
)


async def sid_of(connection: Connection, survey_id: UUID) -> str:
    """The conversation of a survey that has one."""
    return str(await SID_OF.one(connection, survey_id=survey_id))
