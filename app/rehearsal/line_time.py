"""How the seconds of a call are spent. They are simulated: what a network or a computer takes is not among them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

SpentOn = Literal["talk", "wait", "dead_air"]


@dataclass(frozen=True)
class LineSpan:
    """A stretch of a call; ``start`` and ``seconds`` count from its answering."""

    spent_on: SpentOn
    start: float
    seconds: float


@dataclass
class LineTime:
    """A call's time: somebody talks, a question waits for its answer, or there is dead air.

    Dead air is silence that nobody asked for: after a key, while another one may follow; after what was said, until the
    recogniser takes it for the end; between two things that the line says.
    """

    spans: list[LineSpan] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the call was answered."""
        return self.spans[-1].start + self.spans[-1].seconds if self.spans else 0.0

    def spend(self, spent_on: SpentOn, seconds: float) -> None:
        """Let time go by. What is spent on the same thing as just before is one span with it."""
        if seconds <= 0:
            return
        start = self.now
        if self.spans and self.spans[-1].spent_on == spent_on:
            last = self.spans.pop()
            start, seconds = last.start, last.seconds + seconds
        self.spans.append(LineSpan(spent_on, start, seconds))

    def total(self, spent_on: SpentOn | None = None) -> float:
        """Seconds of this kind, or of all; to a tenth."""
        return round(sum(span.seconds for span in self if spent_on in {None, span.spent_on}), 1)

    def longest(self, spent_on: SpentOn) -> float:
        """The longest stretch of this kind; to a tenth."""
        return round(max((span.seconds for span in self if span.spent_on == spent_on), default=0.0), 1)

    def __iter__(self) -> Iterator[LineSpan]:
        return iter(self.spans)
