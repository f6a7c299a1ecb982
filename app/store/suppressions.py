"""Suppressions: who asked never to be surveyed, by every address we know of them, and numbers that nobody has."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.store import Connection
from app.store.statement import Statement, is_any
from app.store.surveys import IS_OPEN
from app.store.tables import interactions, suppressions, surveys


def addresses_of(crm_id: str | None, phone: str | None, email: str | None) -> tuple[str, ...]:
    """The addresses under which a person may be suppressed, the one that tells them apart first."""
    known = (("crm", crm_id), ("phone", phone), ("email", email.lower() if email else None))
    return tuple(f"{kind}:{value}" for kind, value in known if value)


OPTED_OUT, NO_SUCH_NUMBER = "opted_out", "no_such_number"
NEW = insert(suppressions).from_select(
    ["address", "channel", "survey_id"],
    select(
        func.unnest(bindparam("addresses", type_=ARRAY(Text))),
        bindparam("channel", type_=Text),
        bindparam("survey_id", type_=Uuid),
    ),
)
SUPPRESS = Statement.of(
    NEW.on_conflict_do_update(
        index_elements=suppressions.primary_key,
        set_={
            "channel": NEW.excluded.channel,
            "survey_id": NEW.excluded.survey_id,
            "since": func.now(),
            "reason": OPTED_OUT,
            "lifted_at": null(),
        },
        where=or_(suppressions.c.lifted_at.is_not(None), suppressions.c.reason != OPTED_OUT),
    )
)
CANCEL = Statement.of(
    update(surveys)
    .where(or_(is_any(surveys.c.person, "addresses"), is_any(surveys.c.phone, "phones")), IS_OPEN)
    .values(status="opted_out", turn_no=surveys.c.turn_no + 1, updated_at=func.now())
)


async def add(
    connection: Connection, addresses: Sequence[str], channel: str, survey_id: UUID | None = None
) -> None:
    """Suppress at once, on every channel, and cancel what is under way."""
    await SUPPRESS.execute(connection, addresses=list(addresses), channel=channel, survey_id=survey_id)
    phones = [address.removeprefix("phone:") for address in addresses if address.startswith("phone:")]
    await CANCEL.execute(connection, addresses=list(addresses), phones=phones)


DEAD = insert(suppressions).values(
    address=bindparam("address"), channel="voice", survey_id=bindparam("survey_id"), reason=NO_SUCH_NUMBER
)
SUPPRESS_DEAD = Statement.of(
    DEAD.on_conflict_do_update(
        index_elements=suppressions.primary_key,
        set_={
            "channel": DEAD.excluded.channel,
            "survey_id": DEAD.excluded.survey_id,
            "since": func.now(),
            "reason": NO_SUCH_NUMBER,
            "lifted_at": null(),
        },
        where=suppressions.c.lifted_at.is_not(None),
    )
)


async def add_dead_number(connection: Connection, phone: str, survey_id: UUID) -> None:
    """Neither call nor write to this number again: nobody has it. The person may be asked at another address."""
    await SUPPRESS_DEAD.execute(connection, address=f"phone:{phone}", survey_id=survey_id)


ASKED = Statement.of(
    select(
        surveys.c.person, interactions.c.crm_id, interactions.c.phone, interactions.c.email, surveys.c.channel
    )
    .select_from(surveys.join(interactions))
    .where(surveys.c.id == bindparam("id"))
)


async def add_for_survey(connection: Connection, survey_id: UUID) -> None:
    """Suppress the person this survey asked, by every address its interaction holds; without any, by who they were."""
    asked = await ASKED.first(connection, id=survey_id)
    if asked is not None:
        person, crm_id, phone, email, channel = asked
        await add(connection, addresses_of(crm_id, phone, email) or (person,), channel, survey_id)


LIFTING = update(suppressions).where(suppressions.c.lifted_at.is_(None)).values(lifted_at=func.now())
LIFT_FOR_PHONE = Statement.of(
    LIFTING.where(
        or_(
            suppressions.c.address == bindparam("address"),
            suppressions.c.survey_id.in_(select(surveys.c.id).where(surveys.c.phone == bindparam("phone"))),
        )
    )
)


async def lift_for_phone(connection: Connection, phone: str) -> None:
    """The person at this number asked to be surveyed again: lift it, and what any survey of this number suppressed."""
    await LIFT_FOR_PHONE.execute(connection, address=f"phone:{phone}", phone=phone)
