"""People who were asked, written as the product writes them, but on any day one likes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from app.store import Connection, Pool, interactions, surveys, turns
from app.store.interactions import NewInteraction
from app.store.turns import TurnToSave
from app.survey import band
from tests.rows import new_interaction

WARSAW = ZoneInfo("Europe/Warsaw")


@dataclass(frozen=True)
class Asked:
    """One person; ``score`` None: did not answer, nor say anything unless ``reached``."""

    queue: str
    score: int | None = None
    comment: str | None = None
    at: datetime = datetime(2026, 3, 4, 12, tzinfo=UTC)
    agent: str | None = "anna"
    channel: str = "voice"
    language: str = "en"
    invited: bool = True
    reached: bool = False
    crm_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def day(self) -> str:
        """The day of the reports."""
        return self.at.astimezone(WARSAW).date().isoformat()


async def ask(pool: Pool, *people: Asked) -> list[UUID]:
    """Survey them, and give the surveys. As in life, each turn is a transaction of its own."""
    async with pool.connection() as connection:
        made = await interactions.insert(connection, [_row(person) for person in people])
        known = {each.interaction_id: each.survey_id for each in made}
        asked = [survey_id for person in people if (survey_id := known[person.id]) is not None]
        for person, survey_id in zip(people, asked, strict=True):
            await _survey(connection, person, survey_id)
        return asked


def _row(person: Asked) -> NewInteraction:
    return new_interaction(
        uuid4(),
        id=person.id,
        queue=person.queue,
        agent=person.agent,
        ended_at=person.at,
        language=person.language,
        survey_by=person.channel,
        person=f"interaction:{person.id}",
        crm_id=person.crm_id,
        attributes=dict(person.attributes),
        due_at=person.at,
    )


async def _survey(connection: Connection, person: Asked, survey_id: UUID) -> None:
    if person.invited:
        await surveys.mark_invited(connection, survey_id, person.day)
    heard: list[dict[str, Any]] = []
    if person.reached or person.score is not None:
        heard.append({})
    if person.score is not None:
        heard.append({"score": person.score, "band": band(person.score)})
    if person.comment is not None:
        heard.append({"comment": person.comment, "comment_source": "text"})
    for number, learnt in enumerate(heard):
        last = number == len(heard) - 1
        spoken = TurnToSave(
            survey_id=survey_id,
            turn_no=number,
            status="completed" if last and person.score is not None else "in_progress",
            conversation={},
            heard=None,
            said=[],
            reached=True,
            flow_version="nps 1",
            timezone="UTC",
            day=person.day,
            **learnt,
        )
        assert await turns.save_turn(connection, spoken)
    await connection.execute(
        "UPDATE responses SET answered_at = %s WHERE survey_id = %s", (person.at, survey_id)
    )
