"""One turn, one transaction: whatever comes twice, late, at once or in the wrong order."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.errors import NotFound
from app.services import running
from app.store import suppressions
from app.survey import Heard, Keys, Left, Silence, Words
from tests.calls import Handset, line_on
from tests.line import Line
from tests.rows import row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with line_on(module_database_url, tmp_path_factory.mktemp("line"), worker=False) as running_line:
        yield running_line


@pytest_asyncio.fixture(loop_scope="module")
async def handset(line: Line) -> Handset:
    """A call that has been answered and greeted."""
    called = await Handset.called(line)
    await called.open()
    return called


async def take(handset: Handset, turn_no: int, heard: Heard) -> tuple[int, list[str], bool]:
    told = await handset.line.services.conversations.take_turn(UUID(handset.survey_id), turn_no, heard)
    return told.turn_no, [prompt.name for prompt in told.turn.say], told.turn.ask is None


async def leave(handset: Handset) -> None:
    await handset.line.services.conversations.leave(UUID(handset.survey_id), handset.sid)


async def turns(handset: Handset) -> list[str | None]:
    found = await rows(
        handset.line.services.pool,
        "SELECT heard->>'heard' AS heard FROM turns WHERE survey_id = %s ORDER BY number",
        (handset.survey_id,),
    )
    return [each["heard"] for each in found]


async def test_a_score_is_stored_the_moment_it_is_heard(handset: Handset) -> None:
    await take(handset, 1, Keys("9"))
    story = await handset.story()
    assert (story["status"], story["response"]["score"], story["response"]["comment"]) == (
        "in_progress",
        9,
        None,
    )
    assert await handset.counts() == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_nought_is_a_score(handset: Handset) -> None:
    await take(handset, 1, Keys("0"))
    assert (await handset.story())["response"]["score"] == 0
    assert (await handset.counts())["detractors"] == 1


async def test_a_turn_that_comes_twice_is_answered_twice_and_taken_once(handset: Handset) -> None:
    assert await take(handset, 1, Keys("9")) == await take(handset, 1, Keys("9"))
    assert await turns(handset) == [None, "keys"]
    assert (await handset.counts())["responses"] == 1


async def test_a_repetition_with_another_answer_changes_nothing(handset: Handset) -> None:
    first = await take(handset, 1, Keys("9"))
    assert await take(handset, 1, Keys("2")) == first
    assert (await handset.story())["response"]["score"] == 9


async def take_message(handset: Handset, turn_no: int, text: str, receipt: str) -> tuple[int, bool]:
    told = await handset.line.services.conversations.take_turn(
        UUID(handset.survey_id), turn_no, Words(text), receipt
    )
    return told.turn_no, told.turn.ask is None


async def test_a_message_that_was_taken_is_not_taken_at_a_later_turn(handset: Handset) -> None:
    receipt = uuid4().hex
    taken = await take_message(handset, 1, "9", receipt)
    assert await take_message(handset, 2, "9", receipt) == taken == (2, False)
    async with running(handset.line.services.settings) as elsewhere:
        told = await elsewhere.conversations.take_turn(UUID(handset.survey_id), 2, Words("9"), receipt)
    assert told.turn_no == 2
    assert await turns(handset) == [None, "words"]


async def test_a_message_that_is_the_goodbyes_is_taken_once(handset: Handset) -> None:
    receipt = uuid4().hex
    await take_message(handset, 1, "9", receipt)
    assert await take_message(handset, 2, "stop", receipt) == (2, False)
    assert (await handset.story())["status"] == "in_progress"


async def test_of_two_surveys_that_are_given_the_same_message_one_takes_it(handset: Handset) -> None:
    receipts = [uuid4().hex for _ in range(10)]
    for receipt in receipts:
        both = [await Handset.called(handset.line) for _ in range(2)]
        for called in both:
            await called.open()
        told = await asyncio.gather(*(take_message(called, 1, "9", receipt) for called in both))
        assert sorted(told) == [(1, False), (2, False)]


async def test_a_turn_long_past_gets_the_present_question(handset: Handset) -> None:
    await take(handset, 1, Keys("2"))
    present = await take(handset, 2, Words("too slow", spoken=True))
    assert await take(handset, 1, Keys("10")) == present
    assert present == (3, ["ask_callback"], False)


async def test_a_turn_that_has_not_come_yet_changes_nothing(handset: Handset) -> None:
    assert (await take(handset, 7, Keys("9")))[0] == 1
    assert await turns(handset) == [None]


async def test_twenty_at_once_are_one(handset: Handset) -> None:
    answers = await asyncio.gather(*(take(handset, 1, Keys("8")) for _ in range(20)))
    assert len({str(each) for each in answers}) == 1
    assert await turns(handset) == [None, "keys"]
    assert await handset.counts() == {"invited": 1, "reached": 1, "responses": 1, "passives": 1}


async def test_of_twenty_different_answers_at_once_the_first_counts_and_all_are_told_the_same(
    handset: Handset,
) -> None:
    answers = await asyncio.gather(*(take(handset, 1, Keys(str(score % 9 + 2))) for score in range(20)))
    assert len({each[0] for each in answers}) == 1
    score = (await handset.story())["response"]["score"]
    band = (
        "ask_reason_promoter" if score > 8 else "ask_reason_passive" if score > 6 else "ask_reason_detractor"
    )
    assert {each[1][1] for each in answers} == {band}
    assert (await handset.counts())["responses"] == 1


async def test_a_process_whose_memory_is_overtaken_does_not_answer_from_it(handset: Handset) -> None:
    survey_id = UUID(handset.survey_id)
    async with running(handset.line.services.settings) as elsewhere:
        await take(handset, 1, Keys("2"))  # remembered here, for turn 2
        await elsewhere.conversations.take_turn(survey_id, 2, Words("too slow", spoken=True))
        assert await take(handset, 2, Words("something else", spoken=True)) == (3, ["ask_callback"], False)
        assert await take(handset, 3, Keys("1")) == (4, ["thanks_callback"], True)
        told = await elsewhere.conversations.take_turn(survey_id, 3, Keys("2"))
        assert [prompt.name for prompt in told.turn.say] == ["thanks_callback"]
    response = (await handset.story())["response"]
    assert (response["comment"], response["callback"]) == ("too slow", True)


async def test_two_processes_take_turns_about(handset: Handset) -> None:
    survey_id = UUID(handset.survey_id)
    async with running(handset.line.services.settings) as elsewhere:
        await elsewhere.conversations.take_turn(survey_id, 1, Words("hm", spoken=True))
        await take(handset, 2, Keys("3"))
        await elsewhere.conversations.take_turn(survey_id, 3, Words("too slow", spoken=True))
        assert await take(handset, 4, Keys("2")) == (5, ["thanks_detractor"], True)
    assert (await handset.story())["status"] == "completed"


async def test_whoever_hangs_up_at_the_open_question_leaves_the_score(handset: Handset) -> None:
    await take(handset, 1, Keys("10"))
    await leave(handset)
    story = await handset.story()
    assert (story["status"], story["response"]["score"]) == ("partial", 10)
    assert await handset.counts() == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_whoever_hangs_up_at_the_greeting_was_reached_and_leaves_nothing(handset: Handset) -> None:
    await leave(handset)
    story = await handset.story()
    assert (story["status"], story["response"]) == ("partial", None)
    assert await handset.counts() == {"invited": 1, "reached": 1}


async def test_leaving_twice_is_leaving_once(handset: Handset) -> None:
    await leave(handset)
    await leave(handset)
    assert await turns(handset) == [None, "left"]


async def test_a_score_that_is_overtaken_by_the_hang_up_is_kept(handset: Handset) -> None:
    await leave(handset)
    _, said, over = await take(handset, 1, Keys("9"))
    assert (said, over) == ([], True)
    story = await handset.story()
    assert (story["status"], story["response"]["score"]) == ("partial", 9)
    assert await handset.counts() == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}
    await take(handset, 1, Keys("9"))
    assert await turns(handset) == [None, "left", "keys"]
    assert (await handset.counts())["responses"] == 1


async def test_a_comment_that_is_overtaken_by_the_hang_up_completes_the_survey(handset: Handset) -> None:
    await take(handset, 1, Keys("9"))
    await leave(handset)
    await take(handset, 2, Words("cheap and fast", spoken=True))
    story = await handset.story()
    assert (story["status"], story["response"]["comment"]) == ("completed", "cheap and fast")


async def test_an_opt_out_that_is_overtaken_by_the_hang_up_is_obeyed(handset: Handset) -> None:
    await leave(handset)
    await take(handset, 1, Keys("*"))
    assert (await handset.story())["status"] == "opted_out"
    assert await rows(
        handset.line.services.pool,
        "SELECT 1 FROM suppressions WHERE address = %s",
        (f"phone:{handset.number}",),
    )


async def test_silence_that_is_overtaken_by_the_hang_up_is_nothing(handset: Handset) -> None:
    await leave(handset)
    await take(handset, 1, Silence())
    await take(handset, 1, Words("well", spoken=True))
    assert await turns(handset) == [None, "left"]


async def test_a_hang_up_that_races_an_answer_loses_no_score(handset: Handset) -> None:
    for _ in range(10):
        racing = await Handset.called(handset.line)
        await racing.open()
        await asyncio.gather(take(racing, 1, Keys("9")), leave(racing), take(racing, 1, Keys("9")))
        await leave(racing)
        story = await racing.story()
        assert (story["status"], story["response"]["score"]) == ("partial", 9)
        assert (await racing.counts())["responses"] == 1


async def test_a_caller_who_opts_out_elsewhere_is_not_asked_on(handset: Handset) -> None:
    async with handset.line.services.pool.connection() as connection:
        await suppressions.add(connection, [f"phone:{handset.number}"], "sms")
    assert (await take(handset, 1, Keys("9")))[1:] == (["opted_out"], True)
    story = await handset.story()
    assert (story["status"], story["response"]) == ("opted_out", None)


async def test_a_survey_that_was_closed_before_it_was_opened_says_nothing(line: Line) -> None:
    called = await Handset.called(line)
    async with line.services.pool.connection() as connection:
        await suppressions.add(connection, [f"phone:{called.number}"], "sms")
    with pytest.raises(NotFound):
        await line.services.conversations.open(UUID(called.survey_id), called.sid)
    with pytest.raises(NotFound):
        await take(called, 1, Keys("9"))


async def test_opening_twice_greets_twice_and_is_one_turn(line: Line) -> None:
    called = await Handset.called(line)
    first, second = await asyncio.gather(called.open(), called.open())
    assert first.body == second.body == (await called.open()).body
    assert await turns(called) == [None]


async def test_a_second_call_takes_the_survey_up_where_it_stood(handset: Handset) -> None:
    await take(handset, 1, Keys("3"))
    await leave(handset)
    told = await handset.line.services.conversations.open(UUID(handset.survey_id), "CAanother")
    assert [prompt.name for prompt in told.turn.say][:2] == ["resume_greeting", "recording_notice"]
    await take(handset, told.turn_no, Words("too slow", spoken=True))
    await take(handset, told.turn_no + 1, Keys("2"))
    story = await handset.story()
    assert (story["status"], story["response"]["comment"]) == ("completed", "too slow")
    assert (await handset.counts())["responses"] == 1


async def test_the_hang_up_of_the_first_call_does_not_end_the_second(handset: Handset) -> None:
    await handset.line.services.conversations.open(UUID(handset.survey_id), "CAanother")
    await leave(handset)
    assert (await handset.story())["status"] == "in_progress"


@pytest.mark.parametrize(
    "text",
    ["ni\0ne", "a\ud800b", "\x00\x01\x02", "x" * 200_000, "9" * 5_000, "nine\u202e", "\n\t", "🙂" * 3_000],
)
@pytest.mark.parametrize("spoken", [True, False])
async def test_whatever_is_said_is_taken_and_stored(handset: Handset, text: str, *, spoken: bool) -> None:
    told = await take(handset, 1, Words(text, spoken=spoken))
    assert told[0] == 2
    stored = await row(
        handset.line.services.pool,
        "SELECT length(heard->>'text') AS length FROM turns WHERE survey_id = %s AND number = 1",
        (handset.survey_id,),
    )
    assert stored["length"] <= 10_000


@pytest.mark.parametrize("text", ["che\0ap", "cheap\ud800"])
async def test_a_comment_with_what_cannot_be_stored_is_kept_without_it(handset: Handset, text: str) -> None:
    await take(handset, 1, Keys("9"))
    await take(handset, 2, Words(text, spoken=True))
    assert (await handset.story())["response"]["comment"].startswith("che")


@pytest.mark.parametrize("digits", ["9" * 5_000, "1#2#3", "\0", "٣", "A", "9\0"])
async def test_whatever_is_pressed_is_taken(handset: Handset, digits: str) -> None:
    assert (await take(handset, 1, Keys(digits)))[0] == 2


async def test_a_machines_greeting_is_not_somebody(handset: Handset) -> None:
    await take(handset, 1, Words("you have reached the mailbox of", spoken=True))
    assert await handset.counts() == {"invited": 1}
    await take(handset, 2, Words("nine", spoken=True))
    assert (await handset.counts())["reached"] == 1


async def test_a_score_agreed_to_by_silence_counts_its_person_as_reached(line: Line) -> None:
    called = await Handset.called(line, language="fr")
    await called.open()
    await take(called, 1, Words("dix", spoken=True))
    assert await called.counts() == {"invited": 1}
    await take(called, 2, Silence())
    assert await called.counts() == {"invited": 1, "reached": 1, "responses": 1, "promoters": 1}


async def test_silence_for_good_reaches_nobody(handset: Handset) -> None:
    for turn_no in (1, 2, 3):
        await take(handset, turn_no, Silence())
    assert (await handset.story())["status"] == "partial"
    assert await handset.counts() == {"invited": 1}


async def test_after_the_end_nothing_is_heard_any_more(handset: Handset) -> None:
    end = await take(handset, 1, Keys("*"))
    for heard in (Keys("9"), Left(), Words("nine"), Silence()):
        assert await take(handset, 2, heard) == end
    assert await turns(handset) == [None, "keys"]
