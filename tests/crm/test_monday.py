"""monday.com: columns by title or id, parts of a request that fail beside others, and its own ways to say not now."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLError

from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import Crm, ResponseToPush
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, serving
from tests.crm.monday import MondayServer, refusal
from tests.crm.vendor import Answered, Fault


@pytest.fixture
async def monday() -> AsyncIterator[MondayServer]:
    async with serving(MondayServer) as vendor:
        yield vendor


@pytest.fixture
async def crm(monday: MondayServer) -> AsyncIterator[Crm]:
    async with connected(monday) as connector:
        yield connector


def mutations(monday: MondayServer) -> list[dict[str, Any]]:
    return [each.json for each in monday.seen if "mutation" in each.json["query"]]


async def test_values_fit_their_columns_and_nobody_can_be_called_from_the_board(
    monday: MondayServer, crm: Crm
) -> None:
    answer = an_answer("0035g00000XyZ", score=0)
    (item_id,) = await crm.push([answer])
    assert monday.row(item_id) == {
        "name": "billing: 0",
        "survey_id": str(answer.survey_id),
        "answered_at": {"date": "2026-11-21", "time": "10:20:03"},
        "queue": "billing",
        "agent": "anna",
        "channel": "voice",
        "language": "pl",
        "score": "0",
        "band": {"label": "detractor"},
        "comment": {"text": COMMENT},
        "callback": {"checked": "true"},
        "interaction_id": "call-8841",
        "crm_id": "0035g00000XyZ",
    }
    sent = str([each.body for each in monday.seen])
    assert PHONE[1:] not in sent
    assert EMAIL not in sent


async def test_a_change_of_score_changes_the_items_name_and_band_and_empties_what_is_gone(
    monday: MondayServer, crm: Crm
) -> None:
    answer = an_answer(None)
    (item_id,) = await crm.push([answer])
    corrected = an_answer(None, answer.survey_id, score=9, band="promoter", comment=None, callback=None)
    assert await crm.push([replace(corrected, remote_id=item_id)]) == [item_id]
    row = monday.row(item_id)
    assert (row["name"], row["score"], row["band"]) == ("billing: 9", "9", {"label": "promoter"})
    assert "comment" not in row
    assert "callback" not in row


async def test_columns_are_found_by_id_too_and_every_type_is_written_as_it_wants(
    monday: MondayServer,
) -> None:
    monday.columns += [
        {"id": "email_mk1", "title": "Mail", "type": "email"},
        {"id": "phone_mk1", "title": "Tel", "type": "phone"},
        {"id": "dropdown_mk1", "title": "Queue", "type": "dropdown"},
        {"id": "text_mk1", "title": "When", "type": "text"},
    ]
    fields = {
        "survey_id": "survey_id",
        "email_mk1": "email",
        "Tel": "phone",
        "dropdown_mk1": "queue",
        "When": "answered_at",
    }
    async with connected(monday, fields=fields, item_name="NPS") as crm:
        assert await crm.check() == []
        answer = an_answer(None)
        (item_id,) = await crm.push([answer])
    assert monday.row(item_id) == {
        "name": "NPS",
        "survey_id": str(answer.survey_id),
        "Mail": {"email": EMAIL, "text": EMAIL},
        "Tel": {"phone": PHONE, "countryShortName": "PL"},
        "Queue": {"labels": ["billing"]},
        "When": "2026-11-21T10:20:03.125Z",
    }


async def test_what_is_longer_than_monday_takes_is_cut(monday: MondayServer) -> None:
    async with connected(monday, item_name="{comment}") as crm:
        (item_id,) = await crm.push([an_answer(None, comment="ż" * 3_000)])
    row = monday.row(item_id)
    assert (len(row["name"]), len(row["comment"]["text"])) == (255, 2_000)


async def test_several_answers_take_one_request_and_the_columns_are_asked_for_once(
    monday: MondayServer, crm: Crm
) -> None:
    item_ids = await crm.push([an_answer(None) for _ in range(crm.most_at_once)])
    await crm.push([an_answer(None)])
    assert len(set(item_ids)) == 5
    assert len(monday.seen) == 3


async def test_the_group_is_named_only_for_new_items(monday: MondayServer) -> None:
    async with connected(monday, group="topics") as crm:
        answer = an_answer(None)
        (item_id,) = await crm.push([answer])
        await crm.push([replace(answer, remote_id=item_id)])
    first, second = mutations(monday)
    assert first["variables"]["group"] == "topics"
    assert "group" not in second["variables"]


async def test_a_group_that_is_not_there_is_ours_to_mend(monday: MondayServer) -> None:
    async with connected(monday, group="gone") as crm:
        with pytest.raises(CrmMisconfigured, match="ResourceNotFoundException"):
            await crm.push([an_answer(None)])


async def test_an_item_that_was_deleted_is_said_to_be(monday: MondayServer, crm: Crm) -> None:
    answer = an_answer(None)
    (item_id,) = await crm.push([answer])
    monday.items.clear()
    with pytest.raises(NoRecord):
        await crm.push([replace(answer, remote_id=item_id)])


async def test_of_a_push_with_one_that_is_refused_the_others_are_there_once_when_they_come_again(
    monday: MondayServer, crm: Crm
) -> None:
    good, bad = an_answer(None), an_answer(None, comment="a comment that monday will not take")
    also_good = an_answer(None)
    monday.refuse_if["will not take"] = refusal("ColumnValueException", 'invalid value {"text": "secret"}')
    with pytest.raises(CrmRefused) as refused:
        await crm.push([good, bad, also_good])
    assert "secret" not in str(refused.value)
    await crm.push([good])
    with pytest.raises(CrmRefused):
        await crm.push([bad])
    await crm.push([also_good])
    assert [len(monday.held(each.survey_id)) for each in (good, bad, also_good)] == [1, 0, 1]


async def test_a_push_that_ran_out_of_budget_half_way_is_found_by_another_process(
    monday: MondayServer, crm: Crm
) -> None:
    answers = [an_answer(None), an_answer(None, comment="the one too many")]
    monday.refuse_if["too many"] = refusal("COMPLEXITY_BUDGET_EXHAUSTED", "Budget", retry_in_seconds=17)
    with pytest.raises(CrmBusy) as busy:
        await crm.push(answers)
    assert busy.value.retry_after == 17
    assert busy.value.http_status != 429, "which would say that nothing was done"
    monday.refuse_if.clear()
    async with connected(monday) as another:
        await another.push([replace(each, tried=True) for each in answers])
    assert [len(monday.held(each.survey_id)) for each in answers] == [1, 1]


@pytest.mark.parametrize(
    ("error", "expected", "seconds"),
    [
        (refusal("COMPLEXITY_BUDGET_EXHAUSTED", "Budget", 429, retry_in_seconds=23), CrmBusy, 23.0),
        (refusal("FIELD_LIMIT_EXCEEDED", "Concurrency", 429, retry_in_seconds=15), CrmBusy, 15.0),
        (refusal("maxConcurrencyExceeded", "Too many at once"), CrmBusy, 60.0),
        (refusal("DAILY_LIMIT_EXCEEDED", "Daily limit"), CrmBusy, 3600.0),
        (refusal("INTERNAL_SERVER_ERROR", "Internal server error", 500), CrmBusy, None),
        (refusal("UserUnauthorizedException", "User unauthorized", 403), CrmMisconfigured, None),
        (refusal("InvalidColumnIdException", "This column ID doesn't exist"), CrmMisconfigured, None),
        (refusal("ColumnValueException", "invalid value"), CrmRefused, None),
    ],
    ids=lambda each: each.message if isinstance(each, GraphQLError) else "",
)
async def test_errors_that_come_with_200_are_told_apart(
    monday: MondayServer, crm: Crm, error: GraphQLError, expected: type[CrmError], seconds: float | None
) -> None:
    monday.refuse_if[""] = error
    with pytest.raises(expected) as raised:
        await crm.push([an_answer(None)])
    assert getattr(raised.value, "retry_after", None) == seconds


async def test_an_older_error_that_is_the_whole_answer_is_understood(monday: MondayServer, crm: Crm) -> None:
    monday.says_instead = Answered(
        200,
        {
            "error_code": "ComplexityException",
            "status_code": 429,
            "error_message": "Complexity budget exhausted, reset in 3 seconds",
            "error_data": {"retry_in_seconds": 3},
        },
    )
    with pytest.raises(CrmBusy) as busy:
        await crm.check()
    assert (busy.value.http_status, busy.value.retry_after) == (429, 3.0)


async def test_after_no_answer_it_waits_until_the_call_has_ended_there(
    monday: MondayServer, crm: Crm
) -> None:
    monday.faults.append(Fault(None))
    with pytest.raises(CrmBusy) as busy:
        await crm.push([an_answer(None)])
    assert busy.value.retry_after == 60.0


async def test_a_column_that_was_deleted_is_named_with_the_next_push(monday: MondayServer, crm: Crm) -> None:
    answer = an_answer(None)
    await crm.push([answer])
    monday.lose_field()
    with pytest.raises(CrmMisconfigured, match="InvalidColumnIdException"):
        await crm.push([an_answer(None)])
    with pytest.raises(CrmMisconfigured, match="the board has no column comment"):
        await crm.push([an_answer(None)])


async def test_a_board_that_the_token_may_not_see_is_ours_to_mend(monday: MondayServer) -> None:
    async with connected(monday, board="42") as crm:
        with pytest.raises(CrmMisconfigured, match="there is no board 42"):
            await crm.check()


@pytest.mark.parametrize(
    ("title", "type_", "said"),
    [
        ("score", "rating", "the column score is of type rating, which cannot take score"),
        ("survey_id", "long_text", "long_text, which cannot take survey_id; text can"),
        ("callback", "text", "text, which cannot take callback; checkbox can"),
        ("queue", "phone", "phone, which cannot take queue"),
        ("comment", "mirror", "mirror, which cannot take comment"),
    ],
)
async def test_a_type_that_cannot_take_the_value_is_found(
    monday: MondayServer, crm: Crm, title: str, type_: str, said: str
) -> None:
    next(each for each in monday.columns if each["title"] == title)["type"] = type_
    (problem,) = await crm.check()
    assert said in problem


async def test_two_columns_of_one_title_are_found(monday: MondayServer, crm: Crm) -> None:
    monday.columns.append({"id": "numbers_x", "title": "Score", "type": "numbers"})
    assert await crm.check() == ["the board has 2 columns score: give the id of one, such as numbers_6"]


async def test_a_time_is_told_in_utc(monday: MondayServer, crm: Crm) -> None:
    at = datetime(2026, 11, 22, 1, 30, tzinfo=UTC).astimezone().isoformat()
    answer: ResponseToPush = an_answer(None)
    (item_id,) = await crm.push([replace(answer, columns={**answer.columns, "answered_at": at})])
    assert monday.row(item_id)["answered_at"] == {"date": "2026-11-22", "time": "01:30:00"}
