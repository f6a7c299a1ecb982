"""Turns: what was heard and what was said to it, saved with everything that became true by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import bindparam, exists, select

from app.store import Connection
from app.store.statement import Statement
from app.store.tables import OPEN, turns


@dataclass(frozen=True)
class TurnToSave:
    """A turn to be saved: what was heard, what is said to it, and what became true with it.

    It counts on the present day of ``timezone``, such as Europe/Warsaw, unless a ``day`` is given.
    """

    survey_id: UUID
    turn_no: int
    status: str
    conversation: dict[str, Any]
    heard: dict[str, Any] | None
    said: list[Any]
    reached: bool
    flow_version: str
    timezone: str
    day: str | None = None
    opened_by: str | None = None
    receipt: str | None = None
    score: int | None = None
    band: str | None = None
    comment: str | None = None
    comment_source: str | None = None
    comment_confidence: float | None = None
    callback: bool | None = None


# One row for each turn. It is swapped in only where nobody was quicker; the other parts write only for such rows.
SAVE = Statement.sql(
    f"""
    WITH spoken AS (
        SELECT *, coalesce(day, (now() AT TIME ZONE timezone)::date) AS counted_on
        FROM jsonb_to_recordset(%(spoken)s) AS spoken (
            place integer, survey_id uuid, turn_no integer, status text, conversation jsonb, heard jsonb, said jsonb,
            reached boolean, flow_version text, timezone text, day date, opened_by text, receipt text, score smallint,
            band text, comment text, comment_source text, comment_confidence real, callback boolean)
    ), swapped AS (
        UPDATE surveys SET
            conversation = spoken.conversation, turn_no = surveys.turn_no + 1, status = spoken.status,
            opened_by = coalesce(spoken.opened_by, surveys.opened_by), updated_at = now(),
            reached_at = CASE WHEN spoken.reached THEN coalesce(reached_at, now()) ELSE reached_at END
        FROM spoken
        WHERE surveys.id = spoken.survey_id AND surveys.turn_no = spoken.turn_no AND (
            surveys.status IN {OPEN}
            OR surveys.status = 'partial' AND spoken.opened_by IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.receipt = spoken.receipt)
        RETURNING spoken.*, interaction_id, queue, agent, channel, language,
            (spoken.reached AND reached_at = now()) AS first_reached
    ), told AS (
        INSERT INTO turns (survey_id, number, heard, said, receipt)
        SELECT survey_id, turn_no, heard, said, receipt FROM swapped
    ), answered AS (
        INSERT INTO responses (survey_id, interaction_id, crm_id, queue, agent, channel, language,
            score, band, flow_version, attributes)
        SELECT survey_id, interaction_id, crm_id, swapped.queue, swapped.agent, swapped.channel, swapped.language,
            score, band, flow_version, attributes
        FROM swapped JOIN interactions ON interactions.id = interaction_id WHERE score IS NOT NULL
        ON CONFLICT (survey_id) DO NOTHING
        RETURNING survey_id
    ), grown AS (
        UPDATE responses SET
            comment = coalesce(swapped.comment, responses.comment),
            comment_source = coalesce(swapped.comment_source, responses.comment_source),
            comment_confidence = coalesce(swapped.comment_confidence, responses.comment_confidence),
            callback = coalesce(swapped.callback, responses.callback),
            version = responses.version + 1
        FROM swapped
        WHERE responses.survey_id = swapped.survey_id AND (swapped.comment IS NOT NULL OR swapped.callback IS NOT NULL)
    ), counted AS (
        INSERT INTO nps_daily AS total
            (day, queue, agent, channel, language, reached, responses, promoters, passives, detractors)
        SELECT counted_on, queue, agent, channel, language, count(*) FILTER (WHERE first_reached), count(answered),
            count(answered) FILTER (WHERE band = 'promoter'), count(answered) FILTER (WHERE band = 'passive'),
            count(answered) FILTER (WHERE band = 'detractor')
        FROM swapped LEFT JOIN answered USING (survey_id) WHERE first_reached OR answered IS NOT NULL
        GROUP BY queue, counted_on, agent, channel, language ORDER BY queue, counted_on, agent, channel, language
        ON CONFLICT (queue, day, agent, channel, language) DO UPDATE SET
            reached = total.reached + excluded.reached, responses = total.responses + excluded.responses,
            promoters = total.promoters + excluded.promoters, passives = total.passives + excluded.passives,
            detractors = total.detractors + excluded.detractors
    )
    SELECT place FROM swapped
    """,
    int,
)


async def save_turns(connection: Connection, spoken: Sequence[TurnToSave]) -> set[int]:
    """Save turns and all that became true with them in one statement; gives the places of those that were saved.

    A turn is left out, and nothing of it has changed, when another one was saved first, its survey is closed, or its
    receipt is that of an earlier turn. Raises `UniqueViolation` where two turns of one receipt meet.
    """
    rows = [
        vars(turn) | {"place": place, "survey_id": str(turn.survey_id)} for place, turn in enumerate(spoken)
    ]
    return set(await SAVE.all(connection, spoken=Jsonb(rows)))


async def save_turn(connection: Connection, spoken: TurnToSave) -> bool:
    """Save one turn, on the caller's own transaction."""
    return bool(await save_turns(connection, (spoken,)))


KNOWS_RECEIPT = Statement.of(select(exists().where(turns.c.receipt == bindparam("receipt"))))


async def knows_receipt(connection: Connection, receipt: str) -> bool:
    """Whether the message that the provider knows under this id was taken as a turn already."""
    return await KNOWS_RECEIPT.one(connection, receipt=receipt)


WAS_LEFT = Statement.of(
    select(turns.c.heard["heard"].astext == "left").where(
        turns.c.survey_id == bindparam("survey_id"), turns.c.number == bindparam("number")
    )
)


async def was_left(connection: Connection, survey_id: UUID, turn_no: int) -> bool:
    """Whether this turn was the news that the person had gone."""
    return bool(await WAS_LEFT.first(connection, survey_id=survey_id, number=turn_no))
