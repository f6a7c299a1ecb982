"""What goes wrong, drawn from a seed: how often each kind of fault strikes, and how often it did."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeVar

StatementFault = Literal["kill", "freeze", "cut", "refused"]
RequestFault = Literal[
    "unreachable", "busy", "refused", "fault_untaken", "fault_taken", "silent_untaken", "silent_taken", "slow"
]
Kind = TypeVar("Kind", bound=str)
CallbackFault = Literal["lost", "repeated", "late", "very_late", "forged"]

# Per statement; the same draw is made before it is sent and after it was answered.
STATEMENT: dict[StatementFault, float] = {
    "kill": 1 / 6000,
    "freeze": 1 / 2500,
    "cut": 1 / 2500,
    "refused": 1 / 4000,
}
REQUEST: dict[RequestFault, float] = {
    "unreachable": 0.02,
    "busy": 0.02,
    "refused": 0.01,
    "fault_untaken": 0.02,
    "fault_taken": 0.02,
    "silent_untaken": 0.02,
    "silent_taken": 0.03,
    "slow": 0.05,
}
CALLBACK: dict[CallbackFault, float] = {
    "lost": 0.1,
    "repeated": 0.05,
    "late": 0.05,
    "very_late": 0.02,
    "forged": 0.02,
}
FREEZES_SECONDS = (0.5, 0.5, 3.0, 3.0, 12.0, 12.0, 20.0, 20.0, 90.0, 90.0, 900.0, 5000.0)


@dataclass
class Faults:
    """Draws faults; ``severity`` 0 draws none, and 1 as many as the tables say."""

    random: random.Random
    severity: float
    drawn: Counter[str] = field(default_factory=Counter)

    def statement(self) -> StatementFault | None:
        """What strikes at a statement."""
        return self._draw("statement", STATEMENT)

    def request(self) -> RequestFault | None:
        """What becomes of a request to the carrier."""
        return self._draw("request", REQUEST)

    def callback(self) -> CallbackFault | None:
        """What becomes of a callback of the carrier's."""
        return self._draw("callback", CALLBACK)

    def freeze_seconds(self) -> float:
        """How long a process stands still."""
        return self.random.choice(FREEZES_SECONDS)

    def _draw(self, what: str, table: dict[Kind, float]) -> Kind | None:
        left = self.random.random()
        for kind, share in table.items():
            left -= share * self.severity
            if left < 0:
                self.drawn[f"{what}_{kind}"] += 1
                return kind
        return None
