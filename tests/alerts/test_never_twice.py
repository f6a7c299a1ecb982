"""Whatever happens in whatever order, nobody gets one answer twice, and what was not lost arrives."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pydantic import SecretStr

from app.alerts.message import AlertMessage
from app.alerts.services import AlertOutcomeUnknown, AlertRefused, AlertSent, Outcome
from app.alerts.timing import Storm
from app.config import Settings
from app.store import Pool
from app.store.database import open_pool
from tests.alerts.test_alerts import DIGEST, HELD, LAWYER
from tests.alerts.told import RULE, Crash, Desk, a_desk
from tests.conftest import fresh_database
from tests.rows import execute, rows

LINK = re.compile(r"/surveys/([0-9a-f-]{36})")

Mood = Literal["takes all", "refuses", "breaks off", "crashes before", "crashes after"]


@dataclass(frozen=True)
class Episode:
    """Some people answer, a recipient's service is in a mood while alerts are sent, and time goes by."""

    answers: int
    mood: Mood
    workers: int
    judged_again: bool
    transcript: bool
    minutes: float


episodes = st.lists(
    st.builds(
        Episode,
        answers=st.integers(0, 4),
        mood=st.sampled_from(["takes all", "refuses", "breaks off", "crashes before", "crashes after"]),
        workers=st.integers(1, 3),
        judged_again=st.booleans(),
        transcript=st.booleans(),
        minutes=st.sampled_from([0, 0.2, 1, 5, 11, 240, 1000]),
    ),
    min_size=2,
    max_size=6,
)


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with fresh_database(server) as made:
        yield made


class Interleaving:
    """Workers of several processes over one database, and what arrived from any of them."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.surveys, self.arrived = desk, list[UUID](), list[AlertMessage]()
        self.mood: Mood = "takes all"
        desk.ewa.send = self.receive  # type: ignore[method-assign]

    async def receive(self, message: AlertMessage) -> Outcome:
        mood, self.mood = self.mood, "takes all"
        await asyncio.sleep(0)
        match mood:
            case "takes all":
                self.arrived.append(message)
                return AlertSent()
            case "refuses":
                return AlertRefused("not now")
            case "breaks off":
                self.arrived.append(message)
                return AlertOutcomeUnknown("the line broke")
            case "crashes before":
                raise Crash
            case "crashes after":
                self.arrived.append(message)
                raise Crash
            case _:
                assert_never(mood)

    async def live(self, episode: Episode) -> None:
        for _ in range(episode.answers):
            self.surveys.append(await self.desk.answered(len(self.surveys) % 7))
        if episode.transcript:
            await execute(self.desk.pool, "UPDATE responses SET comment = 'my lawyer'")
        self.mood = episode.mood
        work = [self.send() for _ in range(episode.workers)]
        if episode.judged_again:
            work += [self.desk.judge(each) for each in self.surveys]
        await asyncio.gather(*work)
        self.desk.clock.forward(minutes=episode.minutes)

    async def send(self) -> None:
        with suppress(Crash):
            await self.desk.restarted().send()


@pytest.mark.slow
@given(episodes)
@effort(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_recipient_gets_one_answer_twice(url: str, tmp_path: Path, lived: list[Episode]) -> None:
    async def live() -> None:
        settings = Settings(_env_file=None, database_url=SecretStr(url), data_dir=tmp_path)
        async with await open_pool(settings, size=8) as pool:
            await execute(pool, "TRUNCATE surveys, interactions, procrastinate_jobs CASCADE")
            await check(pool, lived)

    asyncio.run(live())


async def check(pool: Pool, lived: list[Episode]) -> None:
    told = Interleaving(await a_desk(pool, HELD, LAWYER, DIGEST, RULE, storm=Storm(more_than=2)))
    for episode in lived:
        await told.live(episode)
    told.mood = "takes all"
    for _ in range(12):
        told.desk.clock.forward(hours=7)
        await told.send()
    links = Counter(each for message in told.arrived for each in LINK.findall(message.body))
    assert all(count == 1 for count in links.values()), links
    stood = await rows(pool, "SELECT survey_id, status FROM alerts")
    assert Counter(each["survey_id"] for each in stood) == Counter(told.surveys)
    assert {each["status"] for each in stood} <= {"sent", "unknown"}
    # A message of many shows the worst few, and counts them all.
    titles = [message.title for message in told.arrived]
    arrived = sum(int(title.split()[0]) if "answers" in title else 1 for title in titles)
    assert sum(each["status"] == "sent" for each in stood) <= arrived <= len(stood)
