"""Suppressions: who asked never to be surveyed, by every address we know of them."""

from collections.abc import Sequence
from uuid import UUID

from app.store import Connection

CANCELLED = (
    "UPDATE surveys SET status = 'opted_out', turn_no = turn_no + 1, updated_at = now()"
    " WHERE (person = ANY(%(addresses)s) OR phone = ANY(%(phones)s))"
    " AND status IN ('scheduled', 'contacting', 'in_progress')"
)


def addresses_of(crm_id: str | None, phone: str | None, email: str | None) -> tuple[str, ...]:
    """The addresses under which a person may be suppressed, the one that tells them apart first."""
    known = (("crm", crm_id), ("phone", phone), ("email", email.lower() if email else None))
    return tuple(f"{kind}:{value}" for kind, value in known if value)


async def add(
    connection: Connection, addresses: Sequence[str], channel: str, survey_id: UUID | None = None
) -> None:
    """Suppress at once, on every channel, and cancel what is under way."""
    await connection.execute(
        "INSERT INTO suppressions (address, channel, survey_id) SELECT unnest(%s::text[]), %s, %s"
        " ON CONFLICT (address) DO UPDATE SET channel = excluded.channel, since = now(), lifted_at = NULL,"
        " survey_id = excluded.survey_id WHERE suppressions.lifted_at IS NOT NULL",
        (list(addresses), channel, survey_id),
    )
    phones = [address.removeprefix("phone:") for address in addresses if address.startswith("phone:")]
    await connection.execute(CANCELLED, {"addresses": list(addresses), "phones": phones})


async def add_for_survey(connection: Connection, survey_id: UUID) -> None:
    """Suppress the person this survey asked, by every address its interaction holds; without any, by who they were."""
    cursor = await connection.execute(
        "SELECT surveys.person, crm_id, interactions.phone, email, surveys.channel FROM interactions"
        " JOIN surveys ON surveys.interaction_id = interactions.id WHERE surveys.id = %s",
        (survey_id,),
    )
    row = await cursor.fetchone()
    if row is not None:
        person, crm_id, phone, email, channel = row
        await add(connection, addresses_of(crm_id, phone, email) or (person,), channel, survey_id)


async def lift(connection: Connection, addresses: Sequence[str]) -> None:
    """The person asked to be surveyed again."""
    await connection.execute(
        "UPDATE suppressions SET lifted_at = now() WHERE address = ANY(%s) AND lifted_at IS NULL",
        (list(addresses),),
    )


async def lift_for_phone(connection: Connection, phone: str) -> None:
    """The person at this number asked to be surveyed again: lift it, and what any survey of this number suppressed."""
    await connection.execute(
        "UPDATE suppressions SET lifted_at = now() WHERE lifted_at IS NULL"
        " AND (address = %(address)s OR survey_id IN (SELECT id FROM surveys WHERE phone = %(phone)s))",
        {"address": f"phone:{phone}", "phone": phone},
    )
