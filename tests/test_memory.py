"""However many people are asked, the process holds no more: what is remembered has a bound."""

import functools
import gc
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import app
from app.chatbot import rest
from app.config import load_flows
from app.conversation.states import StateCache
from app.intake.interaction import INTERACTION
from app.survey import dialogue

FEW, MANY = 500, 5000
# Blocks of memory; one kept for each of the many would be 4,500.
NOISE = 1000
MOST_KEPT = 4096
NEEDS_A_PACKAGE = ("app.chatbot.rasa_actions",)


def growth(work: Callable[[int], object]) -> int:
    """How many blocks of memory are held after ``work`` was done many times, more than after a few."""
    held = []
    for numbers in (range(FEW), range(FEW, MANY)):
        for number in numbers:
            work(number)
        gc.collect()
        held.append(sys.getallocatedblocks())
    return held[1] - held[0]


def test_nothing_is_kept_of_an_interaction_that_was_read() -> None:
    def read(number: int) -> None:
        customer = {"crm_id": f"crm-{number}", "phone": f"+4822{number:07d}", "name": f"Customer {number}"}
        ended_at = datetime.now(UTC).isoformat()
        interaction = {
            "id": f"call-{number}",
            "channel": "voice",
            "queue": f"queue-{number}",
            "ended_at": ended_at,
        }
        INTERACTION.validate_python(interaction | {"agent": f"agent-{number}", "customer": customer})

    assert growth(read) < NOISE


def test_nothing_is_kept_of_a_chat_message_that_was_read() -> None:
    assert (
        growth(lambda number: rest.read(f'{{"sender": "token-{number}", "message": "{number}"}}'.encode()))
        < NOISE
    )


def test_conversations_that_are_never_finished_push_each_other_out() -> None:
    cache, flow = StateCache(), load_flows(Path("flows"))["nps"]
    state = dialogue.begin(flow, "en", {"brand": "Northwind"}).state
    surveys = [uuid4() for _ in range(cache.limit + 1)]
    for survey_id in surveys:
        cache.remember(survey_id, 1, state)
    assert [cache.recall(survey_id, 1) for survey_id in (surveys[0], surveys[1], surveys[-1])] == [
        None,
        state,
        state,
    ]


def test_whatever_is_remembered_has_a_bound() -> None:
    unbounded = {
        f"{function.__module__}.{function.__qualname__}"
        for function in remembered()
        if inspect.signature(function).parameters
        and not 0 < (function.cache_parameters()["maxsize"] or 0) <= MOST_KEPT
    }
    assert unbounded == set()


def remembered() -> "Iterator[functools._lru_cache_wrapper[object]]":
    """Every function of the product that remembers its answers."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name in NEEDS_A_PACKAGE:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, functools._lru_cache_wrapper) and value.__module__ == module.name:
                yield value
