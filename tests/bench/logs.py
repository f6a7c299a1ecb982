"""What a line of the log may cost whoever writes it: the search for what is private, in texts made to be slow."""

import time

from app.logs import hide
from tests.bench.figures import Figure
from tests.bench.ground import Ground

ROUNDS = 5
LETTERS = 100_000
# Each repeats what one of the patterns begins with, and never what it ends with.
SLOW = ("a", "a.", "a@", "a@b.", "a%40", "+1 ", "00", "://a:", "://a:b", "DETAIL: ", "\nDETAIL:x")


async def measure(_: Ground, *, letters: int = LETTERS) -> list[Figure]:
    """The slowest of these texts, and of one ten times as long."""
    short, long = (max(_seconds(piece, letters * times) for piece in SLOW) for times in (1, 10))
    return [
        Figure("Logs", f"searching {letters:,} letters", 1000 * short, "ms", 100, note="the slowest of these texts"),
        Figure("Logs", "searching ten times as many", long / short, "times", 15, note="10 is linear"),
    ]  # fmt: skip


def _seconds(piece: str, letters: int) -> float:
    text = piece * (letters // len(piece))
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        hide(text)
        took.append(time.perf_counter() - started)
    return min(took)
