"""The threads that recognise."""

import asyncio
import threading
import time

import pytest

from app.asr import RecognitionPool
from app.asr.pool import RecognitionFull, RecognitionLate
from app.errors import RecogniserError
from tests.line import eventually


async def test_work_is_done_beside_the_event_loop() -> None:
    pool = RecognitionPool(threads=1)
    assert await pool.run(1, lambda a, b: (a + b, threading.current_thread().name.split("_")[0]), 1, 2) == (
        3,
        "recognition",
    )
    pool.close()


async def test_more_than_can_wait_is_refused_at_once_and_taken_again_later() -> None:
    pool, gate = RecognitionPool(threads=1, most_waiting=2), threading.Event()
    running = [asyncio.create_task(pool.run(5, gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    assert pool.full
    with pytest.raises(RecognitionFull):
        await pool.run(5, gate.wait)
    gate.set()
    assert await asyncio.gather(*running) == [True, True]
    assert await pool.run(5, lambda: "taken") == "taken"
    pool.close()


async def test_what_takes_too_long_is_not_waited_for_but_keeps_its_thread() -> None:
    pool, gate = RecognitionPool(threads=1, most_waiting=1), threading.Event()
    began = time.monotonic()
    with pytest.raises(RecogniserError, match="longer than"):
        await pool.run(0.05, gate.wait)
    assert time.monotonic() - began < 1
    assert pool.full, "its thread is not free"
    gate.set()

    async def free() -> bool:
        return not pool.full

    await eventually(free)
    pool.close()


async def test_no_score_waits_behind_free_speech() -> None:
    pool, gate = RecognitionPool(threads=1), threading.Event()
    comments = [asyncio.create_task(pool.run(5, gate.wait, free_speech=True)) for _ in range(3)]
    await asyncio.sleep(0)
    assert await pool.run(5, lambda: "nine") == "nine"
    gate.set()
    assert await asyncio.gather(*comments) == [True, True, True]
    pool.close()


async def test_what_nobody_waits_for_is_done_even_where_nothing_more_is_taken() -> None:
    pool, done = RecognitionPool(threads=1, most_waiting=0), threading.Event()
    pool.soon(done.set)
    assert await asyncio.to_thread(done.wait, 5)
    pool.close()
    pool.soon(done.clear)
    assert done.is_set(), "a closed one does no more"


async def test_what_breaks_breaks_for_whoever_waits() -> None:
    pool = RecognitionPool(threads=1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(1, lambda: 1 / 0)
    assert pool.waiting == 0
    pool.close()


async def test_an_answer_that_would_come_too_late_is_not_waited_for() -> None:
    pool, gate = RecognitionPool(threads=1), threading.Event()
    await pool.finish("slow", 5, lambda: time.sleep(0.5))
    waiting = [asyncio.create_task(pool.finish("slow", 60, gate.wait)) for _ in range(4)]
    await asyncio.sleep(0)
    began = time.monotonic()
    with pytest.raises(RecognitionLate, match="4 answers wait"):
        await pool.finish("slow", 0.5, gate.wait)
    assert time.monotonic() - began < 0.2, "it is known at once"
    quick = asyncio.create_task(pool.finish("another", 60, lambda: "nine"))
    gate.set()
    assert await quick == "nine"
    await asyncio.gather(*waiting)
    pool.close()


async def test_ten_answers_in_one_second_on_two_threads_are_all_recognised() -> None:
    """Each takes as long as a score takes Whisper; the last one's caller waits for two seconds and a half at most."""
    pool = RecognitionPool(threads=2)

    def slowly(place: int) -> int:
        time.sleep(0.35)
        return place

    async def answer(place: int) -> int:
        await asyncio.sleep(place / 10)
        return await pool.finish("whisper", 2.5, lambda: slowly(place))

    assert await asyncio.gather(*map(answer, range(10))) == list(range(10))
    pool.close()


async def test_what_is_later_than_it_may_be_is_late() -> None:
    pool, gate = RecognitionPool(threads=1), threading.Event()
    with pytest.raises(RecognitionLate):
        await pool.finish("slow", 0.05, gate.wait)
    gate.set()
    pool.close()
