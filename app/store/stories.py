"""What happened to one survey: its attempts, turns, response and deliveries, as people read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg.rows import class_row

from app.store import Connection

Part = TypeVar("Part")


@dataclass(frozen=True)
class AttemptStory:
    number: int
    channel: str
    direction: str
    status: str
    disposition: str | None
    answered_by: str | None
    error_code: int | None
    created_at: datetime
    placed_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class TurnStory:
    number: int
    heard: dict[str, Any] | None
    said: list[str]
    at: datetime


@dataclass(frozen=True)
class ResponseStory:
    score: int
    band: str
    comment: str | None
    comment_source: str | None
    callback: bool | None
    language: str
    channel: str
    flow_version: str
    answered_at: datetime


@dataclass(frozen=True)
class DeliveryStory:
    """A push of the response to one destination; ``status``: waiting, delivered or refused."""

    destination: str
    status: str
    remote_id: str | None
    reason: str | None
    delivered_at: datetime | None


async def attempts(connection: Connection, survey_id: UUID) -> list[AttemptStory]:
    """A survey's attempts in their order."""
    return await _parts(
        connection,
        AttemptStory,
        "SELECT number, channel, direction, status, disposition, answered_by, error_code, created_at,"
        " placed_at, ended_at FROM attempts WHERE survey_id = %s ORDER BY number",
        survey_id,
    )


async def turns(connection: Connection, survey_id: UUID) -> list[TurnStory]:
    """A survey's turns in their order."""
    return await _parts(
        connection,
        TurnStory,
        "SELECT number, heard, said, at FROM turns WHERE survey_id = %s ORDER BY number",
        survey_id,
    )


async def response(connection: Connection, survey_id: UUID) -> ResponseStory | None:
    """A survey's response, where somebody gave a score."""
    found = await _parts(
        connection,
        ResponseStory,
        "SELECT score, band, comment, comment_source, callback, language, channel, flow_version, answered_at"
        " FROM responses WHERE survey_id = %s",
        survey_id,
    )
    return found[0] if found else None


async def deliveries(connection: Connection, survey_id: UUID) -> list[DeliveryStory]:
    """How far a survey's response has come on its way to each destination, by the destination's name."""
    return await _parts(
        connection,
        DeliveryStory,
        "SELECT destination, status, remote_id, reason, delivered_at FROM deliveries WHERE survey_id = %s"
        " ORDER BY destination",
        survey_id,
    )


async def _parts(
    connection: Connection, kind: type[Part], query: LiteralString, survey_id: UUID
) -> list[Part]:
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, (survey_id,))
        return await cursor.fetchall()
