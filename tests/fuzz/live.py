"""The product in a thread of its own, for clients that wait for each answer."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.config import Settings
from tests.calls import Handset
from tests.line import a_line

SURVEYS = 4
START_SECONDS = 60


@dataclass
class Live:
    """A running product: its address, surveys that have begun, and what went wrong in it unseen."""

    url: str = ""
    surveys: Sequence[str] = ()
    attempts: Sequence[str] = ()
    broken: list[str] = field(default_factory=list)


@contextmanager
def live(settings: Settings) -> Iterator[Live]:
    """The product for as long as the block lasts."""
    product, ready, over = Live(), threading.Event(), threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: product.broken.append(str(context)))
        async with a_line(settings, worker=False) as line:
            called = [await Handset.called(line) for _ in range(SURVEYS)]
            product.surveys = [each.survey_id for each in called]
            product.attempts = [str(each.attempt_id) for each in called]
            product.url = str(line.http.base_url).rstrip("/")
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="the product")
    thread.start()
    try:
        assert ready.wait(START_SECONDS), "the product did not start"
        yield product
    finally:
        over.set()
        thread.join()
