"""Surveys: one row each, carried forward turn by turn under compare-and-swap."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Integer, Text, and_, bindparam, cast, func, literal, null, or_, select, update

from app.store import Connection
from app.store.nps_daily import upsert
from app.store.statement import Statement, columns, parameters
from app.store.tables import OPEN, nps_daily, surveys
from app.store.tables.base import Moment


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


COLUMNS = columns(Survey, surveys)
BY_ID = surveys.c.id == bindparam("id")
IS_OPEN = surveys.c.status.in_(OPEN)

READ = Statement.of(select(*COLUMNS).where(BY_ID), Survey)
READ_LOCKED = Statement.of(select(*COLUMNS).where(BY_ID).with_for_update(), Survey)


async def read(connection: Connection, survey_id: UUID, *, lock: bool = False) -> Survey | None:
    """The survey, locked until the transaction ends when ``lock`` is set."""
    return await (READ_LOCKED if lock else READ).first(connection, id=survey_id)


async def read_existing(connection: Connection, survey_id: UUID, *, lock: bool = False) -> Survey:
    """As `read`, for a survey that another row refers to, such as an attempt: it is never missing."""
    survey = await read(connection, survey_id, lock=lock)
    assert survey is not None, "the other row's survey_id is a foreign key"
    return survey


READ_UNFINISHED = Statement.of(
    select(*COLUMNS)
    .where(
        surveys.c.phone == bindparam("phone"),
        or_(IS_OPEN, and_(surveys.c.status == "partial", surveys.c.created_at >= bindparam("since"))),
    )
    .order_by(IS_OPEN.desc(), surveys.c.created_at.desc())
    .limit(1),
    Survey,
)


async def read_unfinished(connection: Connection, phone: str, since: datetime) -> Survey | None:
    """The survey that this number may still answer: the newest open one, else one left unfinished since then."""
    return await READ_UNFINISHED.first(connection, phone=phone, since=since)


READ_OF_INTERACTION = Statement.of(
    select(*COLUMNS).where(surveys.c.interaction_id == bindparam("interaction_id")), Survey
)


async def read_of_interaction(connection: Connection, interaction_id: str) -> Survey | None:
    """The survey that came of this interaction; None where there is none, or the interaction is not known."""
    return await READ_OF_INTERACTION.first(connection, interaction_id=interaction_id)


MOVE = Statement.of(
    update(surveys)
    .where(BY_ID, IS_OPEN)
    .values(
        status=bindparam("status"),
        due_at=func.coalesce(bindparam("due_at", type_=Moment), surveys.c.due_at),
        reason=func.coalesce(bindparam("reason", type_=Text), surveys.c.reason),
        updated_at=func.now(),
    )
)


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
    await MOVE.execute(connection, id=survey_id, status=status, due_at=due_at, reason=reason)


EXPIRE = Statement.of(
    update(surveys)
    .where(BY_ID, IS_OPEN, surveys.c.reached_at.is_(None))
    .values(status="expired", updated_at=func.now())
)


async def expire(connection: Connection, survey_id: UUID) -> bool:
    """End an open survey that nobody took part in; False for any other."""
    return await EXPIRE.execute(connection, id=survey_id) == 1


START_OVER = Statement.of(
    update(surveys)
    .where(BY_ID, IS_OPEN)
    .values(conversation=null(), opened_by=null(), turn_no=surveys.c.turn_no + 1, status="contacting")
)


async def start_over(connection: Connection, survey_id: UUID) -> None:
    """Forget a conversation that no person took part in, so that the next attempt greets anew."""
    await START_OVER.execute(connection, id=survey_id)


INVITED = (
    update(surveys)
    .where(BY_ID, surveys.c.contacted_at.is_(None))
    .values(contacted_at=func.now())
    .returning(surveys.c.queue, surveys.c.agent, surveys.c.channel, surveys.c.language)
    .cte("invited")
)
MARK_INVITED = Statement.of(
    upsert(select(bindparam("day", type_=Date).label("day"), *INVITED.c, literal(1).label("invited")))
)


async def mark_invited(connection: Connection, survey_id: UUID, day: str) -> None:
    """Count the invitation, the first time this person is really contacted for it."""
    await MARK_INVITED.execute(connection, id=survey_id, day=day)


OPENED = (
    update(surveys)
    .where(BY_ID, IS_OPEN, surveys.c.reached_at.is_(None))
    .values(
        contacted_at=func.coalesce(surveys.c.contacted_at, func.now()),
        reached_at=func.now(),
        language=func.coalesce(bindparam("language", type_=Text), surveys.c.language),
    )
    .returning(
        surveys.c.queue,
        surveys.c.agent,
        surveys.c.channel,
        surveys.c.language,
        cast(surveys.c.contacted_at == func.now(), Integer).label("invited"),
        literal(1).label("reached"),
    )
    .cte("opened")
)
MARK_OPENED = Statement.of(upsert(select(bindparam("day", type_=Date).label("day"), *OPENED.c)))


async def mark_opened(connection: Connection, survey_id: UUID, day: str, language: str | None) -> None:
    """Count the invitation and that it reached someone, the first time a person opens it; in ``language``, if given."""
    await MARK_OPENED.execute(connection, id=survey_id, day=day, language=language)


BEFORE = (
    select(
        cast(func.timezone(bindparam("timezone", type_=Text), surveys.c.contacted_at), Date).label("day"),
        surveys.c.queue,
        surveys.c.agent,
        surveys.c.channel,
        surveys.c.language,
    )
    .where(BY_ID)
    .cte("before")
)
MOVED = (
    update(surveys)
    .where(BY_ID)
    .values(status="scheduled", updated_at=func.now(), **parameters("channel", "due_at"))
    .cte("moved")
)
UNCOUNTED = (
    update(nps_daily)
    .where(*(column == BEFORE.c[column.name] for column in nps_daily.primary_key))
    .values(invited=nps_daily.c.invited - 1)
    .cte("uncounted")
)
CHANGE_CHANNEL = Statement.of(
    upsert(
        select(
            BEFORE.c.day,
            BEFORE.c.queue,
            BEFORE.c.agent,
            bindparam("channel", type_=Text).label("channel"),
            BEFORE.c.language,
            literal(1).label("invited"),
        ).where(BEFORE.c.day.is_not(None))
    ).add_cte(MOVED, UNCOUNTED)
)


async def change_channel(
    connection: Connection, survey_id: UUID, channel: str, due_at: datetime, timezone: str
) -> None:
    """Go on by another channel, which also takes over the invitation, so that both channels' rates stay true."""
    await CHANGE_CHANNEL.execute(connection, id=survey_id, channel=channel, due_at=due_at, timezone=timezone)


WAS_REACHED = Statement.of(select(surveys.c.reached_at.is_not(None)).where(BY_ID))


async def was_reached(connection: Connection, survey_id: UUID) -> bool:
    """Whether a person has shown to be there, by key or by voice."""
    return bool(await WAS_REACHED.first(connection, id=survey_id))


LAST_LANGUAGE = Statement.of(
    select(surveys.c.language)
    .where(surveys.c.phone == bindparam("phone"))
    .order_by(surveys.c.created_at.desc())
    .limit(1)
)


async def last_language(connection: Connection, phone: str) -> str | None:
    """The language in which this number was last to be surveyed."""
    return await LAST_LANGUAGE.first(connection, phone=phone)


@dataclass(frozen=True)
class LastContact:
    """The last survey for a number: its language, and whether the person was ever called or written to for one."""

    language: str
    was_contacted: bool


LAST_CONTACT = Statement.of(
    select(surveys.c.language, surveys.c.contacted_at.is_not(None).label("was_contacted"))
    .where(surveys.c.phone == bindparam("phone"))
    .order_by(surveys.c.contacted_at.desc().nulls_last(), surveys.c.created_at.desc())
    .limit(1),
    LastContact,
)


async def last_contact(connection: Connection, phone: str) -> LastContact | None:
    """How this number was last contacted; None where there was never a survey for it."""
    return await LAST_CONTACT.first(connection, phone=phone)
