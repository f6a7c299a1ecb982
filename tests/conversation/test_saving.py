"""Turns that are ready together are saved together, and yet each by itself."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.conversation import TurnWriter
from app.conversation.saving import MOST_AT_ONCE
from app.store import Pool, interactions, turns
from app.store.turns import TurnToSave
from tests.rows import execute, new_interaction, row, rows

MANY = 3 * MOST_AT_ONCE


async def surveys_of(pool: Pool, count: int) -> list[UUID]:
    """New surveys, all of one queue."""
    made = [uuid4() for _ in range(count)]
    async with pool.connection() as connection:
        await interactions.insert(
            connection, [new_interaction(survey_id, attributes={"segment": "smb"}) for survey_id in made]
        )
    return made


def spoken(survey_id: UUID, receipt: str | None = None, **changes: Any) -> TurnToSave:
    """The turn in which this survey's score was heard."""
    turn: dict[str, Any] = {
        "survey_id": survey_id, "turn_no": 0, "status": "in_progress", "conversation": {"said": "zażółć"},
        "heard": {"heard": "keys", "digits": "9"}, "said": ["ask_reason"], "reached": True, "flow_version": "nps 1",
        "timezone": "UTC", "day": "2026-03-04", "score": 9, "band": "promoter", "receipt": receipt,
    }  # fmt: skip
    return TurnToSave(**(turn | changes))


async def test_turns_at_the_same_moment_are_each_saved_once(pool: Pool) -> None:
    asked = await surveys_of(pool, MANY)
    saving = TurnWriter(pool)
    saved = await asyncio.gather(*(saving.save(spoken(survey_id)) for survey_id in asked))
    assert saved == [True] * MANY
    assert await row(pool, "SELECT count(*) AS turns, count(DISTINCT survey_id) AS of FROM turns") == {
        "turns": MANY,
        "of": MANY,
    }
    counted = "SELECT reached, responses, promoters, passives, detractors FROM nps_daily WHERE reached > 0"
    assert await rows(pool, counted) == [
        {"reached": MANY, "responses": MANY, "promoters": MANY, "passives": 0, "detractors": 0}
    ]


async def test_of_two_answers_to_the_same_question_one_is_taken(pool: Pool) -> None:
    (asked,) = await surveys_of(pool, 1)
    saving = TurnWriter(pool)
    scores = (9, 3, 7, 9, 0, 10)
    saved = await asyncio.gather(*(saving.save(spoken(asked, score=score)) for score in scores))
    assert saved.count(True) == 1
    assert (await row(pool, "SELECT score FROM responses"))["score"] == scores[saved.index(True)]
    assert (await row(pool, "SELECT turn_no FROM surveys"))["turn_no"] == 1


async def test_a_turn_that_the_database_refuses_keeps_no_other_from_being_saved(pool: Pool) -> None:
    asked = await surveys_of(pool, 20)
    saving = TurnWriter(pool)
    impossible = [spoken(asked[number], score=11) for number in (3, 7)]
    possible = [spoken(survey_id) for number, survey_id in enumerate(asked) if number not in (3, 7)]
    ended = await asyncio.gather(
        *(saving.save(each) for each in possible[:9] + impossible + possible[9:]), return_exceptions=True
    )
    assert ended.count(True) == 18
    assert [type(each) for each in ended if each is not True] == [psycopg.errors.CheckViolation] * 2
    assert (await row(pool, "SELECT sum(responses)::int AS responses FROM nps_daily"))["responses"] == 18


async def test_a_message_that_was_taken_is_left_out_and_spoils_no_others_turn(pool: Pool) -> None:
    first, *asked = await surveys_of(pool, 10)
    saving = TurnWriter(pool)
    assert await saving.save(spoken(first, receipt="SM1")) is True
    again = spoken(first, turn_no=1, receipt="SM1", score=None, band=None)
    others = [
        spoken(survey_id, receipt="SM1" if at == 3 else f"other-{at}") for at, survey_id in enumerate(asked)
    ]
    async with pool.connection() as connection:
        saved = await turns.save_turns(connection, [again, *others])
    assert saved == set(range(1, 10)) - {4}
    assert (await row(pool, "SELECT count(*) AS turns FROM turns"))["turns"] == 9


async def test_of_two_turns_of_one_message_at_the_same_moment_one_is_saved(pool: Pool) -> None:
    asked = await surveys_of(pool, 20)
    saving = TurnWriter(pool)
    receipts = ["SM1" if at in {2, 11, 19} else f"other-{at}" for at in range(20)]
    saved = await asyncio.gather(
        *(saving.save(spoken(*each)) for each in zip(asked, receipts, strict=True)), return_exceptions=True
    )
    assert saved.count(True) == 18
    assert saved.count(False) + sum(isinstance(each, psycopg.errors.UniqueViolation) for each in saved) == 2


async def test_a_row_that_somebody_holds_keeps_no_other_from_being_saved(pool: Pool) -> None:
    held, free = await surveys_of(pool, 2)
    saving = TurnWriter(pool)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM surveys WHERE id = %s FOR UPDATE", (held,))
        waiting = asyncio.create_task(saving.save(spoken(held)))
        await asyncio.sleep(0.1)
        assert await saving.save(spoken(free, turn_no=0)) is True
        assert not waiting.done()
    assert await waiting is True


async def test_who_stops_waiting_does_not_stop_the_saving(pool: Pool) -> None:
    first, second = await surveys_of(pool, 2)
    saving = TurnWriter(pool)
    impatient = asyncio.create_task(saving.save(spoken(first)))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await saving.save(spoken(second)) is True
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await asyncio.sleep(0.2)
    assert (await row(pool, "SELECT count(*) AS turns FROM turns"))["turns"] == 2


async def test_what_is_refused_to_all_is_told_to_all(pool: Pool) -> None:
    asked = await surveys_of(pool, 3)
    await execute(pool, "ALTER TABLE turns RENAME TO turned")
    saving = TurnWriter(pool)
    ended = await asyncio.gather(
        *(saving.save(spoken(survey_id)) for survey_id in asked), return_exceptions=True
    )
    assert [type(each) for each in ended] == [psycopg.errors.UndefinedTable] * 3


async def test_nothing_heard_is_stored_as_nothing(pool: Pool) -> None:
    (asked,) = await surveys_of(pool, 1)
    greeting = spoken(asked, heard=None, reached=False, score=None, band=None, opened_by="CA1", receipt="SM1")
    assert await TurnWriter(pool).save(greeting) is True
    assert await row(pool, "SELECT heard IS NULL AS nothing, receipt FROM turns") == {
        "nothing": True,
        "receipt": "SM1",
    }
    assert await rows(pool, "SELECT 1 FROM responses UNION ALL SELECT 1 FROM nps_daily") == []
