"""Recordings of open answers: announced by the carrier, fetched, kept for a time, deleted."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, and_, bindparam, case, exists, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, parameters
from app.store.tables import recordings, responses, surveys, turns
from app.survey import RECORDING_NOTICE

UNFETCHED_AFTER = timedelta(hours=2)

BY_SID = recordings.c.sid == bindparam("sid")
KEPT_FOR = bindparam("kept_for", type_=Interval)
asked, answered = turns.alias("asked"), turns.alias("answered")
# A question that may be recorded was answered by a key: skipped, or with an opt-out.
SKIPPED = exists().where(
    asked.c.survey_id == surveys.c.id,
    answered.c.survey_id == surveys.c.id,
    answered.c.number == asked.c.number + 1,
    asked.c.said.has_key(RECORDING_NOTICE),
    answered.c.heard["heard"].astext == "keys",
)
ANNOUNCE = Statement.of(
    insert(recordings)
    .from_select(
        ["sid", "survey_id", "seconds", "status"],
        select(
            bindparam("sid"),
            surveys.c.id,
            bindparam("seconds"),
            case((SKIPPED, "deleted"), else_="announced"),
        ).where(surveys.c.id == bindparam("survey_id")),
    )
    .on_conflict_do_nothing()
)


async def announce(connection: Connection, sid: str, survey_id: UUID, seconds: int | None) -> bool:
    """Write down that the carrier holds this recording; False when we knew.

    That of a question which was skipped is not to be kept: it only has to be deleted at the carrier.
    """
    return await ANNOUNCE.execute(connection, sid=sid, survey_id=survey_id, seconds=seconds) == 1


STATUS = Statement.of(select(recordings.c.status).where(BY_SID))


async def status(connection: Connection, sid: str) -> str | None:
    """announced, kept or deleted; None for a recording that is not ours."""
    return await STATUS.first(connection, sid=sid)


KEEP = Statement.of(
    update(recordings)
    .where(BY_SID, recordings.c.status == "announced")
    .values(audio=bindparam("audio"), status="kept", delete_after=func.now() + KEPT_FOR)
)


async def keep(connection: Connection, sid: str, audio: bytes, days: int) -> None:
    """Store the audio (WAV) until its retention is over."""
    await KEEP.execute(connection, sid=sid, audio=audio, kept_for=timedelta(days=days))


DELETE_EXPIRED = Statement.of(
    update(recordings)
    .where(recordings.c.status == "kept", recordings.c.delete_after <= func.now())
    .values(audio=null(), status="deleted")
)


async def delete_expired(connection: Connection) -> int:
    """Delete the audio whose retention is over, and say how many there were."""
    return await DELETE_EXPIRED.execute(connection)


MAY_BE_KEPT = recordings.c.announced_at > func.now() - KEPT_FOR
LEFT_BEHIND = Statement.of(
    update(recordings)
    .where(recordings.c.status == "announced", recordings.c.announced_at < func.now() - UNFETCHED_AFTER)
    .values(status=case((MAY_BE_KEPT, recordings.c.status), else_="deleted"))
    .returning(recordings.c.sid)
)


async def left_behind(connection: Connection, keep_days: int) -> list[str]:
    """The recordings that were announced hours ago and are still at the carrier, as far as they may still be kept.

    Those that nobody could fetch while they might have been kept are marked as deleted; so they are tried to be
    deleted at the carrier, once more.
    """
    return await LEFT_BEHIND.all(connection, kept_for=timedelta(days=max(1, keep_days)))


ADD = Statement.of(
    insert(recordings).values(
        status="kept",
        delete_after=func.now() + KEPT_FOR,
        **parameters("sid", "survey_id", "seconds", "audio"),
    )
)


async def add(
    connection: Connection, sid: str, survey_id: UUID, seconds: int, audio: bytes, days: int
) -> None:
    """Store audio (WAV) of our own until its retention is over."""
    await ADD.execute(
        connection, sid=sid, survey_id=survey_id, seconds=seconds, audio=audio, kept_for=timedelta(days=days)
    )


@dataclass(frozen=True)
class RecordingToTranscribe:
    """A recording whose response has no comment yet, or a doubtful one."""

    survey_id: UUID
    language: str
    audio: bytes
    comment: str | None
    confidence: float | None


DOUBTFUL = and_(
    responses.c.comment_source == "speech", responses.c.comment_confidence < bindparam("doubtful_below")
)
READ_TO_TRANSCRIBE = Statement.of(
    select(
        recordings.c.survey_id,
        responses.c.language,
        recordings.c.audio,
        responses.c.comment,
        responses.c.comment_confidence.label("confidence"),
    )
    .join(responses, responses.c.survey_id == recordings.c.survey_id)
    .where(BY_SID, recordings.c.audio.is_not(None), or_(responses.c.comment.is_(None), DOUBTFUL)),
    RecordingToTranscribe,
)


async def read_to_transcribe(
    connection: Connection, sid: str, doubtful_below: float
) -> RecordingToTranscribe | None:
    """The recording, where its audio is here and its response could use its text; else None."""
    return await READ_TO_TRANSCRIBE.first(connection, sid=sid, doubtful_below=doubtful_below)


ATTACH = Statement.of(
    update(responses)
    .where(
        responses.c.survey_id == bindparam("survey"),
        responses.c.comment.is_not_distinct_from(bindparam("known_comment")),
    )
    .values(
        comment=bindparam("text"),
        comment_source="recording",
        comment_confidence=bindparam("confidence"),
        version=responses.c.version + 1,
    )
)


async def attach(
    connection: Connection, kept: RecordingToTranscribe, text: str, confidence: float | None
) -> bool:
    """Make this text the response's comment; False where it has got another one meanwhile."""
    written = await ATTACH.execute(
        connection, survey=kept.survey_id, known_comment=kept.comment, text=text, confidence=confidence
    )
    return written == 1
