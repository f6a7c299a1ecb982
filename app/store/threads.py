"""Conversations at the carrier, and the surveys inside them."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from app.store import Connection
from app.store.tables import OPEN


@dataclass(frozen=True)
class Thread:
    """A survey that is under way in a conversation; ``author`` is whose messages are answers, None for anybody's."""

    survey_id: UUID
    author: str | None


async def read(connection: Connection, conversation_sid: str) -> Thread | None:
    """The newest open survey of a conversation, once its first question has been asked."""
    async with connection.cursor(row_factory=class_row(Thread)) as cursor:
        await cursor.execute(
            "SELECT surveys.id AS survey_id, attributes->>'conversation_author' AS author"
            " FROM interactions JOIN surveys ON surveys.interaction_id = interactions.id"
            " WHERE attributes ? 'conversation_sid' AND attributes->>'conversation_sid' = %s"
            " AND surveys.channel = 'chat' AND surveys.status = ANY(%s) AND conversation IS NOT NULL"
            " ORDER BY surveys.created_at DESC LIMIT 1",
            (conversation_sid, list(OPEN)),
        )
        return await cursor.fetchone()


async def sid_of(connection: Connection, survey_id: UUID) -> str:
    """The conversation of a survey that has one."""
    cursor = await connection.execute(
        "SELECT attributes->>'conversation_sid' FROM interactions"
        " JOIN surveys ON surveys.interaction_id = interactions.id WHERE surveys.id = %s",
        (survey_id,),
    )
    row = await cursor.fetchone()
    assert row is not None, "surveys.interaction_id is a foreign key"
    return str(row[0])
