"""What happened to one survey: its attempts, turns, response and deliveries, as people read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Table, bindparam, select

from app.store import Connection, tables
from app.store.statement import Statement, columns

Part = TypeVar("Part")


@dataclass(frozen=True)
class AttemptStory:
    """One attempt to reach the person; ``disposition`` and ``ended_at`` are None until it is over."""

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
    """One turn: what was heard (None where the survey was opened) and the names of the prompts that were said then."""

    number: int
    heard: dict[str, Any] | None
    said: list[str]
    at: datetime


@dataclass(frozen=True)
class ResponseStory:
    """The response as it stands; ``comment_source`` is speech, text or recording, None without a comment."""

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


def _of_survey(row: type[Part], table: Table, *order: str) -> Statement[Part]:
    written = select(*columns(row, table)).where(table.c.survey_id == bindparam("survey_id"))
    return Statement.of(written.order_by(*(table.c[name] for name in order)), row)


ATTEMPTS = _of_survey(AttemptStory, tables.attempts, "number")
TURNS = _of_survey(TurnStory, tables.turns, "number")
RESPONSE = _of_survey(ResponseStory, tables.responses)
DELIVERIES = _of_survey(DeliveryStory, tables.deliveries, "destination")


async def attempts(connection: Connection, survey_id: UUID) -> list[AttemptStory]:
    """A survey's attempts in their order."""
    return await ATTEMPTS.all(connection, survey_id=survey_id)


async def turns(connection: Connection, survey_id: UUID) -> list[TurnStory]:
    """A survey's turns in their order."""
    return await TURNS.all(connection, survey_id=survey_id)


async def response(connection: Connection, survey_id: UUID) -> ResponseStory | None:
    """A survey's response, where somebody gave a score."""
    return await RESPONSE.first(connection, survey_id=survey_id)


async def deliveries(connection: Connection, survey_id: UUID) -> list[DeliveryStory]:
    """How far a survey's response has come on its way to each destination, by the destination's name."""
    return await DELIVERIES.all(connection, survey_id=survey_id)
