"""A survey's whole story, readable."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg.rows import class_row

from app.store import Connection, surveys

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


@dataclass(frozen=True)
class SurveyStory:
    """``status``: scheduled, contacting, in_progress, completed, partial, unreached, expired, opted_out or failed."""

    survey_id: UUID
    interaction_id: str
    queue: str
    agent: str | None
    channel: str
    language: str
    status: str
    reason: str | None
    due_at: datetime
    attempts: list[AttemptStory]
    turns: list[TurnStory]
    response: ResponseStory | None
    deliveries: list[DeliveryStory]


async def tell(connection: Connection, survey_id: UUID) -> SurveyStory | None:
    """The story as it stands at one moment, or None where there is no such survey."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return await _tell(connection, survey_id)


async def _tell(connection: Connection, survey_id: UUID) -> SurveyStory | None:
    survey = await surveys.read(connection, survey_id)
    if survey is None:
        return None
    responses = await _parts(
        connection,
        ResponseStory,
        "SELECT score, band, comment, comment_source, callback, language, channel, flow_version, answered_at"
        " FROM responses WHERE survey_id = %s",
        survey_id,
    )
    return SurveyStory(
        survey_id=survey.id,
        interaction_id=survey.interaction_id,
        queue=survey.queue,
        agent=survey.agent or None,
        channel=survey.channel,
        language=survey.language,
        status=survey.status,
        reason=survey.reason,
        due_at=survey.due_at,
        attempts=await _parts(
            connection,
            AttemptStory,
            "SELECT number, channel, direction, status, disposition, answered_by, error_code, created_at,"
            " placed_at, ended_at FROM attempts WHERE survey_id = %s ORDER BY number",
            survey_id,
        ),
        turns=await _parts(
            connection,
            TurnStory,
            "SELECT number, heard, said, at FROM turns WHERE survey_id = %s ORDER BY number",
            survey_id,
        ),
        response=responses[0] if responses else None,
        deliveries=await _parts(
            connection,
            DeliveryStory,
            "SELECT destination, status, remote_id, reason, delivered_at FROM deliveries WHERE survey_id = %s"
            " ORDER BY destination",
            survey_id,
        ),
    )


async def _parts(connection: Connection, kind: type[Part], query: Any, survey_id: UUID) -> list[Part]:
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, (survey_id,))
        return await cursor.fetchall()
