"""Surveys: one row each, carried forward turn by turn under compare-and-swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.store import Connection
from app.store.tables import OPEN


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
class TurnToSave:
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


# One row for each turn. A row is swapped in only where nobody was quicker; what follows from it hangs on that.
SAVE: LiteralString = """
WITH spoken AS (
    SELECT * FROM jsonb_to_recordset(%s) AS spoken (
        place integer, survey_id uuid, turn_no integer, status text, conversation jsonb, heard jsonb, said jsonb,
        reached boolean, flow_version text, day date, opened_by text, receipt text, score smallint, band text,
        comment text, comment_source text, comment_confidence real, callback boolean)
), swapped AS (
    UPDATE surveys SET
        conversation = spoken.conversation, turn_no = surveys.turn_no + 1, status = spoken.status, updated_at = now(),
        opened_by = coalesce(spoken.opened_by, surveys.opened_by),
        reached_at = CASE WHEN spoken.reached THEN coalesce(reached_at, now()) ELSE reached_at END
    FROM spoken
    WHERE surveys.id = spoken.survey_id AND surveys.turn_no = spoken.turn_no AND (
        surveys.status IN ('scheduled', 'contacting', 'in_progress')
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
    SELECT day, queue, agent, channel, language, count(*) FILTER (WHERE first_reached), count(answered),
        count(answered) FILTER (WHERE band = 'promoter'), count(answered) FILTER (WHERE band = 'passive'),
        count(answered) FILTER (WHERE band = 'detractor')
    FROM swapped LEFT JOIN answered USING (survey_id) WHERE first_reached OR answered IS NOT NULL
    GROUP BY queue, day, agent, channel, language ORDER BY queue, day, agent, channel, language
    ON CONFLICT (queue, day, agent, channel, language) DO UPDATE SET
        reached = total.reached + excluded.reached, responses = total.responses + excluded.responses,
        promoters = total.promoters + excluded.promoters, passives = total.passives + excluded.passives,
        detractors = total.detractors + excluded.detractors
)
SELECT place FROM swapped
"""


async def save_turns(connection: Connection, spoken: Sequence[TurnToSave]) -> set[int]:
    """Save turns and all that became true with them in one statement; gives the places of those that were saved.

    A turn is left out, and nothing of it has changed, when another one was saved first, its survey is closed, or its
    receipt is that of an earlier turn. Raises `UniqueViolation` where two turns of one receipt meet.
    """
    rows = [
        vars(each) | {"place": place, "survey_id": str(each.survey_id)} for place, each in enumerate(spoken)
    ]
    cursor = await connection.execute(SAVE, (Jsonb(rows),))
    return {place for (place,) in await cursor.fetchall()}


async def save_turn(connection: Connection, spoken: TurnToSave) -> bool:
    """Save one turn, on the caller's own transaction."""
    return bool(await save_turns(connection, (spoken,)))


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
    """Change where an open survey stands without a turn; ``due_at`` only where a new one is given.

    One that was closed meanwhile, by an opt-out say, stays closed.
    """
    await connection.execute(
        "UPDATE surveys SET status = %s, due_at = coalesce(%s, due_at), reason = coalesce(%s, reason),"
        " updated_at = now() WHERE id = %s AND status = ANY(%s)",
        (status, due_at, reason, survey_id, list(OPEN)),
    )


async def expire(connection: Connection, survey_id: UUID) -> bool:
    """End an open survey that nobody took part in; False for any other."""
    cursor = await connection.execute(
        "UPDATE surveys SET status = 'expired', updated_at = now()"
        " WHERE id = %s AND status = ANY(%s) AND reached_at IS NULL",
        (survey_id, list(OPEN)),
    )
    return cursor.rowcount == 1


async def start_over(connection: Connection, survey_id: UUID) -> None:
    """Forget a conversation that no person took part in, so that the next attempt greets anew."""
    await connection.execute(
        "UPDATE surveys SET conversation = NULL, opened_by = NULL, turn_no = turn_no + 1, status = 'contacting'"
        " WHERE id = %s AND status = ANY(%s)",
        (survey_id, list(OPEN)),
    )


CHANGE_CHANNEL: LiteralString = """
WITH was AS (
    SELECT queue, agent, channel, language, (contacted_at AT TIME ZONE %(timezone)s)::date AS day
    FROM surveys WHERE id = %(id)s
), moved AS (
    UPDATE surveys SET channel = %(channel)s, status = 'scheduled', due_at = %(due_at)s, updated_at = now()
    WHERE id = %(id)s
), uncounted AS (
    UPDATE nps_daily AS total SET invited = invited - 1 FROM was WHERE total.day = was.day AND total.queue = was.queue
        AND total.agent = was.agent AND total.channel = was.channel AND total.language = was.language
)
INSERT INTO nps_daily AS total (day, queue, agent, channel, language, invited)
SELECT day, queue, agent, %(channel)s, language, 1 FROM was WHERE day IS NOT NULL
ON CONFLICT (queue, day, agent, channel, language) DO UPDATE SET invited = total.invited + 1
"""


async def change_channel(
    connection: Connection, survey_id: UUID, channel: str, due_at: datetime, timezone: str
) -> None:
    """Go on by another channel, which also takes over the invitation, so that both channels' rates stay true."""
    values = {"id": survey_id, "channel": channel, "due_at": due_at, "timezone": timezone}
    await connection.execute(CHANGE_CHANNEL, values)


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


async def was_left(connection: Connection, survey_id: UUID, turn_no: int) -> bool:
    """Whether this turn was the news that the person had gone."""
    cursor = await connection.execute(
        "SELECT heard->>'heard' = 'left' FROM turns WHERE survey_id = %s AND number = %s",
        (survey_id, turn_no),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


OPENED: LiteralString = """
WITH first AS (
    UPDATE surveys SET contacted_at = coalesce(contacted_at, now()), reached_at = now(),
        language = coalesce(%(language)s, language)
    WHERE id = %(id)s AND reached_at IS NULL AND status IN ('scheduled', 'contacting', 'in_progress')
    RETURNING queue, agent, channel, language, (contacted_at = now())::int AS invited
)
INSERT INTO nps_daily AS total (day, queue, agent, channel, language, invited, reached)
SELECT %(day)s::date, queue, agent, channel, language, invited, 1 FROM first
ON CONFLICT (queue, day, agent, channel, language)
    DO UPDATE SET invited = total.invited + excluded.invited, reached = total.reached + 1
"""


async def mark_opened(connection: Connection, survey_id: UUID, day: str, language: str | None) -> None:
    """Count the invitation and that it reached someone, the first time a person opens it; in ``language``, if given."""
    await connection.execute(OPENED, {"id": survey_id, "day": day, "language": language})


async def was_reached(connection: Connection, survey_id: UUID) -> bool:
    """Whether a person has shown to be there, by key or by voice."""
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
