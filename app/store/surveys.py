"""Surveys: one row each, carried forward turn by turn under compare-and-swap."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.store import Connection

OPEN = ("scheduled", "contacting", "in_progress")


@dataclass(frozen=True)
class Survey:
    """A survey as it stands. ``turn_no`` counts the turns said, and is the number the next heard must carry."""

    id: UUID
    interaction_id: str
    person: str
    phone: str | None
    queue: str
    agent: str
    channel: str
    language: str
    status: str
    reason: str | None
    due_at: datetime
    contacted_at: datetime | None
    turn_no: int
    opened_by: str | None
    conversation: dict[str, Any] | None

    @property
    def is_open(self) -> bool:
        """Whether the conversation goes on."""
        return self.status in OPEN

    @property
    def may_be_opened(self) -> bool:
        """Whether it may be begun, or taken up where it was left."""
        return self.is_open or self.status == "partial"


COLUMNS: LiteralString = (
    "id, interaction_id, person, phone, queue, agent, channel, language, status, reason, due_at,"
    " contacted_at, turn_no, opened_by, conversation"
)


@dataclass(frozen=True)
class Spoken:
    """A turn to be saved: what was heard, what is said to it, and what became true with it."""

    survey_id: UUID
    turn_no: int
    status: str
    conversation: dict[str, Any]
    heard: dict[str, Any] | None
    said: list[Any]
    reached: bool
    flow_version: str
    day: str
    opened_by: str | None = None
    receipt: str | None = None
    score: int | None = None
    band: str | None = None
    comment: str | None = None
    comment_source: str | None = None
    comment_confidence: float | None = None
    callback: bool | None = None


SWAP: LiteralString = """
WITH swapped AS (
    UPDATE surveys SET
        conversation = %(conversation)s, turn_no = turn_no + 1, status = %(status)s, updated_at = now(),
        opened_by = coalesce(%(opened_by)s, opened_by),
        reached_at = CASE WHEN %(reached)s THEN coalesce(reached_at, now()) ELSE reached_at END
    WHERE id = %(survey_id)s AND turn_no = %(turn_no)s AND (
        status IN ('scheduled', 'contacting', 'in_progress')
        OR status = 'partial' AND %(opened_by)s::text IS NOT NULL)
    RETURNING id, interaction_id, queue, agent, channel, language,
        (%(reached)s AND reached_at = now()) AS first_reached
), told AS (
    INSERT INTO turns (survey_id, number, heard, said, receipt)
    SELECT id, %(turn_no)s, %(heard)s, %(said)s, %(receipt)s FROM swapped
)"""
REACHED: LiteralString = """, counted AS (
    INSERT INTO nps_daily AS total (day, queue, agent, channel, language, reached)
    SELECT %(day)s::date, queue, agent, channel, language, 1 FROM swapped WHERE first_reached
    ON CONFLICT (queue, day, agent, channel, language) DO UPDATE SET reached = total.reached + 1
)"""
SCORED: LiteralString = """, answered AS (
    INSERT INTO responses (survey_id, interaction_id, crm_id, queue, agent, channel, language,
        score, band, flow_version, attributes)
    SELECT swapped.id, swapped.interaction_id, crm_id, swapped.queue, swapped.agent, swapped.channel,
        swapped.language, %(score)s, %(band)s, %(flow_version)s, attributes
    FROM swapped JOIN interactions ON interactions.id = swapped.interaction_id
    ON CONFLICT (survey_id) DO NOTHING
    RETURNING survey_id
), counted AS (
    INSERT INTO nps_daily AS total
        (day, queue, agent, channel, language, reached, responses, promoters, passives, detractors)
    SELECT %(day)s::date, queue, agent, channel, language, first_reached::int, 1,
        (%(band)s = 'promoter')::int, (%(band)s = 'passive')::int, (%(band)s = 'detractor')::int
    FROM swapped JOIN answered ON answered.survey_id = swapped.id
    ON CONFLICT (queue, day, agent, channel, language) DO UPDATE SET
        reached = total.reached + excluded.reached, responses = total.responses + 1,
        promoters = total.promoters + excluded.promoters, passives = total.passives + excluded.passives,
        detractors = total.detractors + excluded.detractors
)"""
COMMENTED: LiteralString = """, grown AS (
    UPDATE responses SET
        comment = coalesce(%(comment)s, comment), comment_source = coalesce(%(comment_source)s, comment_source),
        comment_confidence = coalesce(%(comment_confidence)s, comment_confidence),
        callback = coalesce(%(callback)s, callback)
    FROM swapped WHERE responses.survey_id = swapped.id
)"""
DONE: LiteralString = " SELECT 1 FROM swapped"


async def save_turn(connection: Connection, spoken: Spoken) -> bool:
    """Save one turn and all that became true with it in one statement.

    False when another turn was saved first, or the survey is no longer open: nothing has changed then.
    """
    statement = SWAP
    if spoken.score is not None:
        statement += SCORED
    elif spoken.reached:
        statement += REACHED
    if spoken.comment is not None or spoken.callback is not None:
        statement += COMMENTED
    values = dict(vars(spoken))
    for name in ("conversation", "heard", "said"):
        values[name] = None if values[name] is None else Jsonb(values[name])
    cursor = await connection.execute(statement + DONE, values)
    return await cursor.fetchone() is not None


async def read(connection: Connection, survey_id: UUID, *, lock: bool = False) -> Survey | None:
    """The survey, locked until the transaction ends when ``lock`` is set."""
    async with connection.cursor(row_factory=class_row(Survey)) as cursor:
        suffix: LiteralString = " FOR UPDATE" if lock else ""
        await cursor.execute(f"SELECT {COLUMNS} FROM surveys WHERE id = %s{suffix}", (survey_id,))
        return await cursor.fetchone()


async def read_unfinished(connection: Connection, phone: str, since: datetime) -> Survey | None:
    """The survey that this number may still answer: the newest open one, else one left unfinished since then."""
    async with connection.cursor(row_factory=class_row(Survey)) as cursor:
        await cursor.execute(
            f"SELECT {COLUMNS} FROM surveys WHERE phone = %(phone)s AND (status = ANY(%(open)s)"
            " OR status = 'partial' AND created_at >= %(since)s)"
            " ORDER BY status = ANY(%(open)s) DESC, created_at DESC LIMIT 1",
            {"phone": phone, "open": list(OPEN), "since": since},
        )
        return await cursor.fetchone()


async def move(
    connection: Connection,
    survey_id: UUID,
    status: str,
    *,
    due_at: datetime | None = None,
    reason: str | None = None,
) -> None:
    """Change where the survey stands without a turn; ``due_at`` only where a new one is given."""
    await connection.execute(
        "UPDATE surveys SET status = %s, due_at = coalesce(%s, due_at), reason = coalesce(%s, reason),"
        " updated_at = now() WHERE id = %s",
        (status, due_at, reason, survey_id),
    )


async def start_over(connection: Connection, survey_id: UUID) -> None:
    """Forget a conversation that no person took part in, so that the next attempt greets anew."""
    await connection.execute(
        "UPDATE surveys SET conversation = NULL, opened_by = NULL, turn_no = turn_no + 1, status = 'contacting'"
        " WHERE id = %s",
        (survey_id,),
    )


async def knows_receipt(connection: Connection, receipt: str) -> bool:
    """Whether the message that the provider knows under this id was taken as a turn already."""
    cursor = await connection.execute("SELECT 1 FROM turns WHERE receipt = %s", (receipt,))
    return await cursor.fetchone() is not None


INVITED: LiteralString = """
WITH first AS (
    UPDATE surveys SET contacted_at = now() WHERE id = %(id)s AND contacted_at IS NULL
    RETURNING queue, agent, channel, language
)
INSERT INTO nps_daily AS total (day, queue, agent, channel, language, invited)
SELECT %(day)s::date, queue, agent, channel, language, 1 FROM first
ON CONFLICT (queue, day, agent, channel, language) DO UPDATE SET invited = total.invited + 1
"""


async def mark_invited(connection: Connection, survey_id: UUID, day: str) -> None:
    """Count the invitation, the first time this person is really contacted for it."""
    await connection.execute(INVITED, {"id": survey_id, "day": day})


async def was_reached(connection: Connection, survey_id: UUID) -> bool:
    """Whether a person has answered anything yet, by key or voice."""
    cursor = await connection.execute(
        "SELECT reached_at IS NOT NULL FROM surveys WHERE id = %s", (survey_id,)
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def last_language(connection: Connection, phone: str) -> str | None:
    """The language in which this number was last to be surveyed."""
    cursor = await connection.execute(
        "SELECT language FROM surveys WHERE phone = %s ORDER BY created_at DESC LIMIT 1", (phone,)
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])
