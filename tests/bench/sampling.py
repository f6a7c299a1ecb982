"""Which part of the product a process spends its processor time in: looked up at every tick of the profiling timer."""

import json
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

START, STOP = signal.SIGUSR1, signal.SIGUSR2
TICK_SECONDS = 0.001
HTTP = "HTTP, middleware, routing"
# The innermost function that one of these names decides.
PARTS = (
    ("app/carrier/signature.py", "form and signature"),
    ("app/carrier/signature.py", "form and signature"),
    ("app/survey/", "hearing and the next step"),
    ("app/conversation/saving.py", "saving, our side of it"),
    ("app/store/", "saving, our side of it"),
    ("app/conversation/facts.py", "saving, our side of it"),
    ("app/ivr/twiml.py", "TwiML"),
    ("app/conversation/turns.py", "the turn around them"),
    ("app/conversation/states.py", "the turn around them"),
    ("app/ivr/routes.py", "the turn around them"),
    ("app/main.py", HTTP),
)


def sample_when_told(path: Path) -> None:
    """From `START` to `STOP`, count where the main thread is; then write the counts to ``path``."""
    counts: Counter[str] = Counter()

    def tick(_number: int, frame: FrameType | None) -> None:
        counts[_part(frame)] += 1

    def start(_number: int, _frame: FrameType | None) -> None:
        counts.clear()
        signal.setitimer(signal.ITIMER_PROF, TICK_SECONDS, TICK_SECONDS)

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(counts))
        unfinished.rename(path)

    signal.signal(signal.SIGPROF, tick)
    signal.signal(START, start)
    signal.signal(STOP, stop)


def _part(frame: FrameType | None) -> str:
    while frame is not None:
        for name, part in PARTS:
            if name in frame.f_code.co_filename:
                return part
        frame = frame.f_back
    return HTTP
