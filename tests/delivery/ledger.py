"""A CRM of the simplest kind, in memory: it writes down what it is told, and does as it is asked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.ports import ResponseToPush


@dataclass
class Ledger:
    """``before`` is called with each push before it is written down, and may raise."""

    most_at_once: int = 1
    before: Callable[[Sequence[ResponseToPush]], None] = lambda _: None
    problems: Sequence[str] = ()
    pushed: list[ResponseToPush] = field(default_factory=list)
    pushes: int = 0
    seconds: float = 0.0
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self) -> Sequence[str]:
        return self.problems

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        self.pushes += 1
        self.begun.set()
        await asyncio.sleep(self.seconds)
        self.before(answers)
        self.pushed += answers
        return [f"record of {each.survey_id}" for each in answers]

    @property
    def told(self) -> list[tuple[object, str]]:
        """What was written down: survey and event."""
        return [(each.survey_id, each.event) for each in self.pushed]
