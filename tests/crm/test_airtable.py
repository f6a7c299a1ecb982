"""Airtable: types that are not cast, ten records or none, and what its check finds."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.crm.airtable import AirtableOptions
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.ports import Crm
from tests.crm.airtable import AirtableServer
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, serving, with_attributes
from tests.crm.vendor import Fault


@pytest.fixture
async def airtable() -> AsyncIterator[AirtableServer]:
    async with serving(AirtableServer) as vendor:
        yield vendor


@pytest.fixture
async def crm(airtable: AirtableServer) -> AsyncIterator[Crm]:
    async with connected(airtable) as connector:
        yield connector


async def test_values_keep_their_types_and_nobody_can_be_called_from_the_table(
    airtable: AirtableServer, crm: Crm
) -> None:
    answer = an_answer("0035g00000XyZ", score=0)
    (record_id,) = await crm.push([answer])
    assert airtable.records[record_id] == {
        "survey_id": str(answer.survey_id),
        "answered_at": "2026-11-21T10:20:03.125Z",
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
    sent = airtable.seen[-1].body.decode()
    assert PHONE[1:] not in sent
    assert EMAIL not in sent


async def test_ten_answers_take_one_request_and_a_repeated_push_changes_them(
    airtable: AirtableServer, crm: Crm
) -> None:
    answers = [an_answer(None, score=score) for score in range(crm.most_at_once)]
    record_ids = await crm.push(answers)
    assert len(airtable.seen) == 1
    again = [replace(each, tried=True, columns={**each.columns, "score": 10}) for each in answers]
    assert await crm.push(again) == record_ids
    assert [each["score"] for each in airtable.records.values()] == [10] * 10


async def test_of_a_push_with_one_that_is_refused_nothing_is_taken(
    airtable: AirtableServer, crm: Crm
) -> None:
    good, bad = an_answer(None), an_answer(None, band="angry")
    with pytest.raises(CrmRefused, match="INVALID_VALUE_FOR_COLUMN"):
        await crm.push([good, bad])
    assert airtable.records == {}


async def test_a_field_that_was_deleted_stops_everything_rather_than_refusing_each_answer(
    airtable: AirtableServer, crm: Crm
) -> None:
    name = airtable.lose_field()
    with pytest.raises(CrmMisconfigured, match=f'UNKNOWN_FIELD_NAME: Unknown field name: "{name}"'):
        await crm.push([an_answer(None)])


async def test_a_value_that_is_refused_is_not_quoted(airtable: AirtableServer, crm: Crm) -> None:
    airtable.fields["comment"]["type"] = "number"
    with pytest.raises(CrmRefused) as refused:
        await crm.push([an_answer(None)])
    assert COMMENT not in str(refused.value)


async def test_two_records_with_one_survey_id_are_shown_to_people(airtable: AirtableServer, crm: Crm) -> None:
    answer = an_answer(None)
    airtable.records = {each: {"survey_id": str(answer.survey_id), "score": 1} for each in ("recA", "recB")}
    with pytest.raises(CrmRefused, match="more than one record"):
        await crm.push([answer])


@pytest.mark.parametrize(
    ("field", "type_", "said"),
    [
        ("score", "singleLineText", "the field score is of type singleLineText, which cannot take score"),
        ("score", "rating", "rating, which cannot take score"),
        ("comment", "formula", "formula, which cannot take comment"),
        ("answered_at", "date", "date, which cannot take answered_at"),
        ("callback", "number", "number, which cannot take callback"),
        ("survey_id", "singleSelect", "singleSelect, which cannot take survey_id"),
    ],
)
async def test_a_type_that_cannot_take_the_value_is_found(
    airtable: AirtableServer, crm: Crm, field: str, type_: str, said: str
) -> None:
    airtable.fields[field]["type"] = type_
    (problem,) = await crm.check()
    assert said in problem


async def test_a_band_that_cannot_be_chosen_is_found(airtable: AirtableServer, crm: Crm) -> None:
    airtable.set_choices("promoter", "Detractor")
    assert await crm.check() == ["the field band lacks the choice passive, detractor"]


async def test_a_table_that_is_not_there_is_found(airtable: AirtableServer) -> None:
    async with connected(airtable, table="NPS") as crm:
        assert await crm.check() == ["the base has no table NPS"]
        with pytest.raises(CrmMisconfigured, match="no such base or table"):
            await crm.push([an_answer(None)])


async def test_a_token_that_may_not_read_the_fields_is_ours_to_mend(
    airtable: AirtableServer, crm: Crm
) -> None:
    airtable.scopes.remove("schema.bases:read")
    with pytest.raises(CrmMisconfigured, match="403"):
        await crm.check()


@pytest.mark.parametrize(("status", "seconds"), [(429, 30.0), (None, 30.0), (503, None)])
async def test_how_long_to_wait_where_it_does_not_say(
    airtable: AirtableServer, crm: Crm, status: int | None, seconds: float | None
) -> None:
    airtable.faults.append(Fault(status))
    with pytest.raises(CrmBusy) as busy:
        await crm.push([an_answer(None)])
    assert busy.value.retry_after == seconds


async def test_columns_may_be_named_otherwise_and_be_filled_from_anything(airtable: AirtableServer) -> None:
    for name, type_ in (("Ankieta", "singleLineText"), ("Ocena", "number"), ("Telefon", "phoneNumber")):
        airtable.fields[name] = {"id": f"fld{name}", "name": name, "type": type_}
    airtable.fields["Segment"] = {"id": "fldSegment", "name": "Segment", "type": "singleLineText"}
    fields = {"Ankieta": "survey_id", "Ocena": "score", "Telefon": "phone", "Segment": "attributes.segment"}
    answer = with_attributes(an_answer(None), segment="smb")
    async with connected(airtable, fields=fields) as crm:
        assert await crm.check() == []
        (record_id,) = await crm.push([answer])
    held: dict[str, Any] = airtable.records[record_id]
    assert held == {"Ankieta": str(answer.survey_id), "Ocena": 3, "Telefon": PHONE, "Segment": "smb"}


def test_a_mapping_without_the_survey_id_is_refused() -> None:
    with pytest.raises(ValueError, match="survey_id: by it a row is found again"):
        AirtableOptions.model_validate(
            {"token": "pat", "base": "appX", "table": "NPS", "fields": {"Score": "score"}}
        )
