"""Google Sheets: the first row decides the columns, cells are what they are, and rows are found wherever they went."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.crm.google_sheets import GoogleSheetsOptions
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused, StartError
from app.ports import Crm
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, serving
from tests.crm.google_sheets import SPREADSHEET, GoogleSheetsServer
from tests.crm.vendor import Fault, Request


@pytest.fixture
async def sheets() -> AsyncIterator[GoogleSheetsServer]:
    async with serving(GoogleSheetsServer) as vendor:
        yield vendor


@pytest.fixture
async def crm(sheets: GoogleSheetsServer) -> AsyncIterator[Crm]:
    async with connected(sheets) as connector:
        yield connector


def text(value: str) -> dict[str, Any]:
    return {"userEnteredValue": {"stringValue": value}}


def asked(sheets: GoogleSheetsServer, path: str) -> list[Request]:
    return [each for each in sheets.seen if path in each.path]


async def test_numbers_are_numbers_and_nobody_can_be_called_from_the_sheet(
    sheets: GoogleSheetsServer, crm: Crm
) -> None:
    answer = an_answer("0035g00000XyZ", score=0)
    await crm.push([answer])
    (row,) = sheets.table()
    days = row.pop("answered_at")
    assert row == {
        "survey_id": str(answer.survey_id),
        "queue": "billing",
        "agent": "anna",
        "channel": "voice",
        "language": "pl",
        "score": 0,
        "band": "detractor",
        "comment": COMMENT,
        "callback": True,
        "interaction_id": "call-8841",
        "crm_id": "0035g00000XyZ",
    }
    shown = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=days)
    assert f"{shown:%Y-%m-%d %H:%M:%S}" == "2026-11-21 11:20:03", "the sheet is kept in Warsaw, an hour ahead"
    date_format = {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"}
    assert sheets.cell(1, "answered_at")["userEnteredFormat"] == {"numberFormat": date_format}
    sent = asked(sheets, ":batchUpdate")[0].body.decode()
    assert PHONE[1:] not in sent
    assert EMAIL not in sent


@pytest.mark.parametrize(
    "comment", ['=HYPERLINK("https://x.example")', "+48", "@SUM(A1)", "-1", "2026-01-01", "007"]
)
async def test_what_was_said_stays_text_whatever_it_looks_like(
    sheets: GoogleSheetsServer, crm: Crm, comment: str
) -> None:
    await crm.push([an_answer(None, comment=comment)])
    assert sheets.cell(1, "comment") == text(comment)


async def test_a_text_longer_than_a_cell_is_cut(sheets: GoogleSheetsServer, crm: Crm) -> None:
    await crm.push([an_answer(None, comment="ż" * 60_000)])
    assert sheets.cell(1, "comment") == text("ż" * 50_000)


async def test_columns_stand_where_people_put_them_and_theirs_are_left_alone(
    sheets: GoogleSheetsServer,
) -> None:
    sheets.rows = [[text("Notes"), text("Score "), text("Who calls back?"), text("id"), text("COMMENT")]]
    fields = {"ID": "survey_id", "score": "score", "Comment": "comment"}
    answer = an_answer(None, comment=None)
    async with connected(sheets, fields=fields) as crm:
        assert await crm.check() == []
        (remote_id,) = await crm.push([answer])
        sheets.rows[1][0], sheets.rows[1][2] = text("angry"), text("Ola")
        await crm.push([replace(an_answer(None, answer.survey_id, score=4), remote_id=remote_id)])
    values = [each.get("userEnteredValue") for each in sheets.rows[1]]
    assert values == [
        {"stringValue": "angry"},
        {"numberValue": 4},
        {"stringValue": "Ola"},
        {"stringValue": str(answer.survey_id)},
        {"stringValue": COMMENT},
    ]


async def test_an_empty_sheet_gets_its_first_row(sheets: GoogleSheetsServer, crm: Crm) -> None:
    sheets.rows = []
    assert await crm.check() == []
    answer = an_answer(None)
    await crm.push([answer])
    await crm.push([an_answer(None)])
    assert sheets.titles()[:3] == ["survey_id", "answered_at", "queue"]
    assert len(sheets.rows) == 3
    assert len(sheets.held(answer.survey_id)) == 1


async def test_a_push_of_many_is_one_write_that_changes_and_adds(
    sheets: GoogleSheetsServer, crm: Crm
) -> None:
    old = [an_answer(None, score=score) for score in range(5)]
    await crm.push(old)
    again = [replace(each, tried=True, columns={**each.columns, "score": 10}) for each in old]
    new = [an_answer(None, score=9) for _ in range(crm.most_at_once - 5)]
    assert await crm.push([*again, *new]) == [str(each.survey_id) for each in [*old, *new]]
    assert len(asked(sheets, ":batchUpdate")) == 2
    assert [each["score"] for each in sheets.table()] == [10] * 5 + [9] * 95


async def test_what_was_never_tried_is_not_looked_for(sheets: GoogleSheetsServer, crm: Crm) -> None:
    await crm.push([an_answer(None)])
    assert asked(sheets, "/values/") == []


async def test_a_row_is_found_after_people_have_sorted_the_sheet(
    sheets: GoogleSheetsServer, crm: Crm
) -> None:
    answers = [an_answer(None, score=score) for score in (1, 2, 3)]
    remote_ids = await crm.push(answers)
    sheets.rows[1:] = reversed(sheets.rows[1:])
    await crm.push([replace(answers[0], remote_id=remote_ids[0], columns={**answers[0].columns, "score": 8})])
    assert [each["score"] for each in sheets.table()] == [3, 2, 8]


async def test_in_a_long_sheet_the_newest_rows_are_looked_through_first(
    sheets: GoogleSheetsServer, crm: Crm
) -> None:
    oldest = an_answer(None)
    await crm.push([oldest])
    sheets.rows += [[text(f"{number}")] for number in range(30_000)]
    newest = an_answer(None)
    await crm.push([newest])
    await crm.push([replace(newest, tried=True)])
    assert len(asked(sheets, "/values/")) == 1
    await crm.push([replace(oldest, tried=True)])
    areas = [each.path.rpartition("/")[2] for each in asked(sheets, "/values/")[1:]]
    assert areas == ["'Answers'!R28004C1:R30003C1", "'Answers'!R8004C1:R28003C1", "'Answers'!R2C1:R8003C1"]
    assert len(sheets.held(oldest.survey_id)) == 1


async def test_a_row_that_was_deleted_comes_back_when_its_answer_changes(
    sheets: GoogleSheetsServer, crm: Crm
) -> None:
    answer = an_answer(None)
    (remote_id,) = await crm.push([answer])
    del sheets.rows[1]
    await crm.push([replace(answer, remote_id=remote_id)])
    assert len(sheets.held(answer.survey_id)) == 1


async def test_without_a_name_it_is_the_first_sheet_and_an_address_names_the_spreadsheet(
    sheets: GoogleSheetsServer,
) -> None:
    address = f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit?gid=77#gid=77"
    async with connected(sheets, sheet="", spreadsheet=address) as crm:
        answer = an_answer(None)
        await crm.push([answer])
        await crm.push([replace(answer, tried=True)])
    assert len(sheets.held(answer.survey_id)) == 1


async def test_a_quote_in_a_sheets_name_is_doubled(sheets: GoogleSheetsServer) -> None:
    async with connected(sheets, sheet="Ola's") as crm:
        with pytest.raises(CrmMisconfigured, match="Unable to parse range: 'Ola''s'!1:1"):
            await crm.check()


async def test_two_columns_of_one_name_are_found(sheets: GoogleSheetsServer, crm: Crm) -> None:
    sheets.rows[0].append(text("Score"))
    assert await crm.check() == ["the sheet has 2 columns score"]
    with pytest.raises(CrmMisconfigured, match="2 columns score"):
        await crm.push([an_answer(None)])


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "RATE_LIMIT_EXCEEDED"])
async def test_a_403_for_being_too_fast_is_worth_another_try(
    sheets: GoogleSheetsServer, crm: Crm, reason: str
) -> None:
    sheets.too_fast = reason
    with pytest.raises(CrmBusy) as busy:
        await crm.push([an_answer(None)])
    assert (busy.value.http_status, busy.value.retry_after) == (403, 30.0)


@pytest.mark.parametrize(("status", "seconds"), [(429, 30.0), (None, 60.0), (503, None)])
async def test_how_long_to_wait_where_it_does_not_say(
    sheets: GoogleSheetsServer, crm: Crm, status: int | None, seconds: float | None
) -> None:
    sheets.faults.append(Fault(status))
    with pytest.raises(CrmBusy) as busy:
        await crm.push([an_answer(None)])
    assert busy.value.retry_after == seconds


async def test_a_spreadsheet_that_is_not_shared_is_ours_to_mend(sheets: GoogleSheetsServer, crm: Crm) -> None:
    sheets.shared = False
    with pytest.raises(CrmMisconfigured, match="shared with the service account"):
        await crm.push([an_answer(None)])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("You are trying to edit a protected cell or object.", CrmMisconfigured),
        ("This action would increase the number of cells in the workbook above the limit", CrmMisconfigured),
        ('Invalid value at "requests[0]"', CrmRefused),
    ],
)
async def test_what_keeps_every_answer_out_stops_rather_than_refusing_each(
    sheets: GoogleSheetsServer, crm: Crm, words: str, error: type[Exception]
) -> None:
    sheets.takes_no_change = words
    with pytest.raises(error):
        await crm.push([an_answer(None)])


async def test_one_access_token_serves_many_pushes_and_a_withdrawn_one_is_replaced(
    sheets: GoogleSheetsServer, crm: Crm
) -> None:
    await crm.push([an_answer(None)])
    await crm.push([an_answer(None)])
    assert len(sheets.tokens) == 1
    sheets.tokens[:] = ["another"]
    await crm.push([an_answer(None)])
    assert len(asked(sheets, "/token")) == 2
    assert len(sheets.table()) == 3


async def test_a_key_that_google_does_not_know_is_ours_to_mend(sheets: GoogleSheetsServer) -> None:
    key = json.dumps({**sheets.key, "client_email": "another@project.iam.gserviceaccount.com"})
    async with connected(sheets, service_account=key) as crm:
        with pytest.raises(CrmMisconfigured, match="does not take the service account's key"):
            await crm.push([an_answer(None)])


async def test_a_key_stands_in_a_file(sheets: GoogleSheetsServer, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(sheets.key))
    async with connected(sheets, service_account=str(file)) as crm:
        assert await crm.check() == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("no-such-file.json", "cannot be read"),
        ("{not json", "neither a key file's path nor its JSON"),
        ('{"type": "authorized_user"}', "no service account's key"),
        ('{"client_email": "a", "private_key": "b", "token_uri": "https://c"}', "not a PEM key"),
    ],
)
async def test_what_is_no_key_stops_the_start_and_is_not_quoted(
    sheets: GoogleSheetsServer, key: str, said: str
) -> None:
    with pytest.raises(StartError) as error:
        async with connected(sheets, service_account=key):
            pass
    assert said in str(error.value)
    assert key not in str(error.value)


async def test_without_googles_library_the_start_says_how_to_get_it(
    sheets: GoogleSheetsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.oauth2.service_account", None)
    with pytest.raises(StartError, match="make crm"):
        async with connected(sheets):
            pass


def test_the_key_is_not_in_what_is_printed_of_the_options(sheets: GoogleSheetsServer) -> None:
    options = GoogleSheetsOptions.model_validate(sheets.options)
    assert "PRIVATE KEY" not in repr(options)
