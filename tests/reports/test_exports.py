"""GET /api/v1/exports/responses.{csv,xlsx,jsonl}: a row per response, streamed, and nothing in it runs."""

import csv
import gc
import io
import json
import threading
import tracemalloc
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet._writer import ALL_TEMP_FILES

from app.reports import exports
from app.reports.exports import GrowingWorkbook, neutral
from app.store.responses import COLUMNS
from tests.line import Line, eventually
from tests.reports.asked import Asked, ask
from tests.rows import execute, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime(2026, 3, 4, 12, 30, 15, 250_000, tzinfo=UTC)
DANGEROUS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
MANY = 60_000


async def export(line: Line, form: str, **params: str) -> httpx.Response:
    answer = await line.http.get(f"/api/v1/exports/responses.{form}", params=params)
    assert answer.status_code == 200, answer.text
    return answer


async def as_csv(line: Line, **params: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await export(line, "csv", **params)).text, newline="")))


async def as_jsonl(line: Line, **params: str) -> list[dict[str, Any]]:
    return [json.loads(each) for each in (await export(line, "jsonl", **params)).text.split("\n")[:-1]]


async def as_xlsx(line: Line, **params: str) -> list[dict[str, Any]]:
    book = load_workbook(io.BytesIO((await export(line, "xlsx", **params)).content))
    (sheet,) = book.worksheets
    heading, *body = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, heading), row, strict=True)) for row in body]


async def test_every_form_has_the_same_columns_and_tells_the_same(line: Line) -> None:
    queue = uuid4().hex
    comment = 'Søk "hjelp", 日本\n👍🏽; koniec'
    (survey_id,) = await ask(
        line.services.pool,
        Asked(
            queue, 0, comment, at=AT, crm_id="0035g", attributes={"segment": "smb", "Größe": 1.5, "vip": None}
        ),
    )
    stored = await rows(line.services.pool, "SELECT interaction_id FROM responses WHERE queue = %s", (queue,))
    expected = {
        "interaction_id": stored[0]["interaction_id"],
        "survey_id": str(survey_id),
        "crm_id": "0035g",
        "queue": queue,
        "agent": "anna",
        "channel": "voice",
        "language": "en",
        "score": 0,
        "band": "detractor",
        "comment": comment,
        "answered_at": "2026-03-04T12:30:15.250Z",
        "flow_version": "nps 1",
        "attributes": {"segment": "smb", "Größe": 1.5, "vip": None},
    }
    assert tuple(expected) == COLUMNS
    assert await as_jsonl(line, queue=queue) == [expected]
    for told in (await as_csv(line, queue=queue), await as_xlsx(line, queue=queue)):
        (row,) = told
        assert list(row) == list(expected)
        assert json.loads(row["attributes"]) == expected["attributes"]
        assert {name: str(row[name]) for name in COLUMNS[:-1]} == {
            name: str(expected[name]) for name in COLUMNS[:-1]
        }


async def test_what_nobody_said_is_empty(line: Line) -> None:
    queue = uuid4().hex
    await ask(line.services.pool, Asked(queue, 8, agent=None))
    (told,) = await as_jsonl(line, queue=queue)
    assert (told["crm_id"], told["comment"], told["attributes"]) == (None, None, {})
    (row,) = await as_csv(line, queue=queue)
    assert (row["crm_id"], row["comment"], row["agent"]) == ("", "", "")
    (cells,) = await as_xlsx(line, queue=queue)
    assert (cells["crm_id"], cells["comment"]) == (None, None)


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
async def test_an_export_is_a_file_to_keep_and_not_to_cache(line: Line, form: str, media_type: str) -> None:
    answer = await export(line, form, queue="nobody's")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="responses.{form}"'
    assert answer.headers["cache-control"] == "no-store"


async def test_without_responses_there_is_a_heading(line: Line) -> None:
    assert (await export(line, "csv", queue="nobody's")).text == ",".join(COLUMNS) + "\n"
    assert (await export(line, "jsonl", queue="nobody's")).text == ""
    assert await as_xlsx(line, queue="nobody's") == []


async def test_a_form_that_there_is_not_is_refused(line: Line) -> None:
    answer = await line.http.get("/api/v1/exports/responses.pdf")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "form")


@pytest.mark.parametrize("start", DANGEROUS)
async def test_no_cell_of_a_csv_runs_as_a_formula(line: Line, start: str) -> None:
    attack = f"{start}cmd|' /C calc'!A0"
    # An interaction's id is unique, and what the trigger strips never gets here.
    person = Asked(attack, 3, attack, agent=attack, crm_id=attack, id=f"{attack}{uuid4().hex}")
    await ask(line.services.pool, person)
    (row,) = await as_csv(line, queue=attack)
    for column in ("queue", "comment", "agent", "crm_id"):
        assert row[column] == f"'{attack}"
    assert row["interaction_id"] == f"'{person.id}"
    (told,) = await as_jsonl(line, queue=attack)
    assert (told["queue"], told["comment"], told["interaction_id"]) == (attack, attack, person.id)


@examples(deadline=None, max_examples=200)
@given(text=st.text(max_size=30))
async def test_a_neutral_cell_begins_with_nothing_that_runs_and_keeps_its_text(text: str) -> None:
    cell = neutral(text)
    assert not cell.startswith(tuple(DANGEROUS))
    assert cell.removeprefix("'") == text or cell == text


async def test_the_cells_of_a_spreadsheet_are_text_whatever_they_begin_with(line: Line) -> None:
    queue = uuid4().hex
    comments = ["=1+1", "+48 22", "-", "@SUM(A1)", "#N/A", "007", "2026-01-01", "TRUE", "x" * 40_000]
    await ask(line.services.pool, *(Asked(queue, 5, each) for each in comments))
    book = load_workbook(io.BytesIO((await export(line, "xlsx", queue=queue)).content))
    column = COLUMNS.index("comment") + 1
    cells = [book.worksheets[0].cell(number, column) for number in range(2, len(comments) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.value for cell in cells} == {each[:32_767] for each in comments}
    scores = [book.worksheets[0].cell(number, COLUMNS.index("score") + 1).value for number in (2, 3)]
    assert scores == [5, 5]


async def test_characters_that_no_spreadsheet_holds_are_left_out_of_it(line: Line) -> None:
    queue = uuid4().hex
    comment = "bell\x07 tab\x0b escape\x1b end"
    await ask(line.services.pool, Asked(queue, 5, comment))
    assert [row["comment"] for row in await as_xlsx(line, queue=queue)] == ["bell tab escape end"]
    assert [row["comment"] for row in await as_csv(line, queue=queue)] == [comment]
    assert [row["comment"] for row in await as_jsonl(line, queue=queue)] == [comment]


async def test_what_is_more_than_a_sheet_holds_goes_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "ROWS_PER_SHEET", 2)
    spreadsheet, file = GrowingWorkbook(), io.BytesIO()
    spreadsheet.append([(number, *["x"] * (len(COLUMNS) - 1)) for number in range(5)])
    spreadsheet.book.save(file)
    sheets = load_workbook(file).worksheets
    assert [sheet.max_row for sheet in sheets] == [3, 3, 2]
    assert [sheet.cell(1, 1).value for sheet in sheets] == ["interaction_id"] * 3


async def test_responses_come_in_the_order_of_their_answers_and_filters_hold(line: Line) -> None:
    queue = uuid4().hex
    days = [datetime(2026, 5, day, 12, tzinfo=UTC) for day in (3, 1, 2)]
    await ask(line.services.pool, *(Asked(queue, day.day, at=day) for day in days), Asked("elsewhere", 9))
    assert [row["score"] for row in await as_csv(line, queue=queue)] == ["1", "2", "3"]
    span = {"queue": queue, "from": "2026-05-02", "to": "2026-05-02"}
    assert [row["score"] for row in await as_csv(line, **span)] == ["2"]
    assert [row["score"] for row in await as_xlsx(line, **span)] == [2]
    assert [row["score"] for row in await as_jsonl(line, **span)] == [2]


async def fill(line: Line, queue: str, count: int) -> None:
    """Let this many people of a queue answer, unless they have."""
    if await rows(line.services.pool, "SELECT 1 FROM interactions WHERE queue = %s LIMIT 1", (queue,)):
        return
    await execute(
        line.services.pool,
        """WITH made AS (
            INSERT INTO interactions (id, channel, queue, ended_at, language, survey_by, decision)
            SELECT queue || number, 'voice', queue, now(), 'en', 'voice', 'scheduled'
            FROM (SELECT %s AS queue, generate_series(1, %s) AS number) AS numbers RETURNING id, queue
        ), asked AS (
            INSERT INTO surveys (id, interaction_id, person, queue, channel, language, status, due_at)
            SELECT gen_random_uuid(), id, id, queue, 'voice', 'en', 'completed', now() FROM made
            RETURNING id, interaction_id, queue
        )
        INSERT INTO responses (survey_id, interaction_id, queue, channel, language, score, band, comment, flow_version)
        SELECT id, interaction_id, queue, 'voice', 'en', 9, 'promoter', repeat('comment ', 20), 'nps 1' FROM asked""",
        (queue, count),
    )


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_is_streamed_in_flat_memory(line: Line, form: str) -> None:
    await fill(line, "many", MANY)
    received, lines = 0, 0
    gc.collect()
    tracemalloc.start()
    try:
        address = f"/api/v1/exports/responses.{form}?queue=many"
        async with line.http.stream("GET", address) as answer:
            async for block in answer.aiter_bytes():
                received, lines = received + len(block), lines + block.count(b"\n")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lines == MANY + (form == "csv")
    assert received > 15_000_000
    assert peak < received / 3


async def test_a_reader_who_leaves_midway_gives_the_connection_back(line: Line) -> None:
    await fill(line, "many", MANY)
    for form in ("csv", "jsonl") * 4:
        async with line.http.stream("GET", f"/api/v1/exports/responses.{form}?queue=many") as answer:
            await anext(answer.aiter_bytes())

    async def all_back() -> bool:
        stats = line.services.pool.get_stats()
        return stats["pool_available"] == stats["pool_size"]

    await eventually(all_back)


async def test_a_spreadsheet_is_made_beside_the_event_loop(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, threads = uuid4().hex, set[int]()
    append = GrowingWorkbook.append

    def noted(self: GrowingWorkbook, given: Any) -> None:
        threads.add(threading.get_ident())
        append(self, given)

    monkeypatch.setattr(GrowingWorkbook, "append", noted)
    await ask(line.services.pool, Asked(queue, 9))
    assert len(await as_xlsx(line, queue=queue)) == 1
    assert threads
    assert threading.get_ident() not in threads


async def test_what_goes_wrong_before_the_first_row_is_a_problem(line: Line) -> None:
    await execute(line.services.pool, "ALTER TABLE responses RENAME TO elsewhere")
    try:
        for form in ("csv", "jsonl", "xlsx"):
            answer = await line.http.get(f"/api/v1/exports/responses.{form}")
            assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert not ALL_TEMP_FILES
    finally:
        await execute(line.services.pool, "ALTER TABLE elsewhere RENAME TO responses")
