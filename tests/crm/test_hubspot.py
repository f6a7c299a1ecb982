"""HubSpot beyond the table of cases: who the contact is, notes found again, an object of one's own, refusals."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.crm.hubspot import KIND
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import CrmIdentity
from app.web import GuardedHttp
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, later
from tests.crm.hubspot import CONTACT, OWN, Hubspot
from tests.crm.vendor import TOKEN, Fault, Held


@pytest.fixture
async def hubspot() -> AsyncIterator[Hubspot]:
    async with Hubspot() as vendor:
        yield vendor
        assert vendor.violations == []


async def test_a_token_alone_writes_a_note_on_the_contact(hubspot: Hubspot) -> None:
    hubspot.properties["contacts"].clear()
    configured = KIND.configured({"token": TOKEN, "api_url": hubspot.url})
    async with httpx.AsyncClient() as http:
        crm = configured.connect(GuardedHttp(http, allow_private=True))
        assert list(await crm.check()) == []
        await crm.push([an_answer(CONTACT, comment="<b>Never</b> again & again")])
    assert hubspot.associated[CONTACT] == set(hubspot.notes)
    (note,) = hubspot.notes.values()
    assert note["properties"]["hs_timestamp"] == "2026-11-21T10:20:03.125Z"
    body = note["properties"]["hs_note_body"]
    assert body.startswith("NPS 3 (detractor)<br>&lt;b&gt;Never&lt;/b&gt; again &amp; again<br>")
    assert "Queue: billing<br>Agent: anna<br>" in body


async def test_the_contact_s_properties_are_filled_and_cleared(hubspot: Hubspot) -> None:
    async with connected(hubspot) as crm:
        await crm.push([an_answer(CONTACT)])
        filled = dict(hubspot.contacts[CONTACT]["properties"])
        await crm.push([an_answer(CONTACT, score=10, band="promoter", comment=None)])
    assert (filled["nps_score"], filled["nps_band"], filled["nps_comment"]) == ("3", "detractor", COMMENT)
    assert hubspot.contacts[CONTACT]["properties"]["nps_comment"] == ""


async def test_a_late_word_on_an_older_answer_does_not_take_the_newer_one_s_place(hubspot: Hubspot) -> None:
    older, newer = an_answer(CONTACT, score=2), later(an_answer(CONTACT, score=9), "2026-11-22T08:00:00Z")
    async with connected(hubspot) as crm:
        await crm.push([newer])
        await crm.push([older])
    assert hubspot.contacts[CONTACT]["properties"]["nps_score"] == "9"
    assert hubspot.held(older.survey_id) == [Held(2, COMMENT)]


@pytest.mark.parametrize(
    "known",
    [{"email": EMAIL.upper()}, {"email": "new@b.example", "hs_additional_emails": f"a@b.example;{EMAIL}"}],
)
async def test_a_contact_is_found_by_e_mail(hubspot: Hubspot, known: dict[str, str]) -> None:
    hubspot.contacts.clear()
    hubspot.a_contact("77", **known)
    async with connected(hubspot, match={"by": ["email"]}) as crm:
        await crm.push([an_answer(None)])
    assert len(hubspot.associated["77"]) == 1


@pytest.mark.parametrize("typed", [PHONE, "22 123 45 67", "+48 (22) 123-45-67"])
async def test_a_contact_is_found_by_phone_as_people_type_it(hubspot: Hubspot, typed: str) -> None:
    hubspot.contacts.clear()
    hubspot.a_contact("77", mobilephone=typed)
    async with connected(hubspot, match={"by": ["phone"]}) as crm:
        await crm.push([an_answer(None)])
    assert len(hubspot.associated["77"]) == 1


async def test_the_same_digits_in_another_country_are_another_number(hubspot: Hubspot) -> None:
    hubspot.contacts.clear()
    hubspot.a_contact("77", phone="+1 221 234 567")
    async with connected(hubspot, match={"by": ["phone"]}) as crm:
        with pytest.raises(NoRecord):
            await crm.push([an_answer(None)])


async def test_of_several_contacts_none_or_the_newest_is_taken(hubspot: Hubspot) -> None:
    hubspot.a_contact("152", email="someone@else.example", phone=PHONE)
    answer = replace(an_answer(None), customer=CrmIdentity(None, None, PHONE, None))
    async with connected(hubspot) as crm:
        with pytest.raises(NoRecord, match="2 records"):
            await crm.push([answer])
    async with connected(hubspot, match={"several": "newest"}) as crm:
        await crm.push([answer])
    assert len(hubspot.associated["152"]) == 1


async def test_a_crm_id_that_leads_nowhere_is_not_the_end_where_the_e_mail_does(hubspot: Hubspot) -> None:
    answer = replace(an_answer("../notes"), customer=CrmIdentity("../notes", EMAIL, None, None))
    async with connected(hubspot) as crm:
        await crm.push([answer])
    assert len(hubspot.associated[CONTACT]) == 1


async def test_a_note_that_nobody_heard_of_is_found_among_many(hubspot: Hubspot) -> None:
    async with connected(hubspot, fields={}) as crm:
        for _ in range(4):
            await crm.push([an_answer(CONTACT)])
        answer = an_answer(CONTACT)
        hubspot.faults.append(Fault(None, after=True))
        with pytest.raises(CrmBusy):
            await crm.push([answer])
        await crm.push([replace(answer, tried=True)])
    assert hubspot.held(answer.survey_id) == [Held(3, COMMENT)]
    assert len(hubspot.notes) == 5


async def test_a_note_that_somebody_deleted_is_written_again(hubspot: Hubspot) -> None:
    answer = an_answer(CONTACT)
    async with connected(hubspot) as crm:
        (note,) = await crm.push([answer])
        del hubspot.notes[note]
        await crm.push([replace(answer, remote_id=note)])
    assert hubspot.held(answer.survey_id) == [Held(3, COMMENT)]


async def test_an_object_of_one_s_own_has_a_record_for_each_response(hubspot: Hubspot) -> None:
    answer = an_answer(CONTACT)
    own = {"type": OWN, "id_property": "survey", "fields": {"score": "score"}}
    async with connected(hubspot, record=own) as crm:
        assert list(await crm.check()) == []
        (record,) = await crm.push([answer])
        assert await crm.push([replace(answer, tried=True)]) == [record]
    assert [each["properties"] for each in hubspot.own.values()] == [
        {"survey": str(answer.survey_id), "score": "3"}
    ]
    assert hubspot.associated[CONTACT] == {record}
    assert hubspot.notes == {}


async def test_what_the_object_does_not_take_is_no_success(hubspot: Hubspot) -> None:
    own = {"type": OWN, "id_property": "survey", "fields": {"score": "score", "mood": "band"}}
    async with connected(hubspot, record=own) as crm:
        assert list(await crm.check()) == [f"there is no property of {OWN} mood"]
        with pytest.raises(CrmMisconfigured, match="mood"):
            await crm.push([an_answer(CONTACT)])


async def test_a_mapping_that_cannot_work_is_told_field_by_field(hubspot: Hubspot) -> None:
    hubspot.properties["contacts"]["nps_band"]["options"].pop()
    wrong = {
        "nps_band": "band",
        "nps_score": "comment",
        "hs_object_id": "score",
        "nps_at": "callback",
        "nothing": "queue",
    }
    async with connected(hubspot, fields=wrong) as crm:
        assert sorted(await crm.check()) == [
            "the contact property hs_object_id cannot hold score: its type is read-only",
            "the contact property nps_at cannot hold callback: its type is datetime",
            "the contact property nps_band cannot hold band: its type is a list without detractor",
            "the contact property nps_score cannot hold comment: its type is number",
            "there is no contact property nothing",
        ]  # fmt: skip


async def test_a_property_that_is_gone_is_ours_to_mend_and_a_value_is_not(hubspot: Hubspot) -> None:
    hubspot.properties["contacts"]["nps_band"]["options"].pop()
    async with connected(hubspot) as crm:
        with pytest.raises(CrmRefused, match="nps_band"):
            await crm.push([an_answer(CONTACT)])
        del hubspot.properties["contacts"]["nps_band"]
        with pytest.raises(CrmMisconfigured, match="nps_band"):
            await crm.push([an_answer(CONTACT)])


@pytest.mark.parametrize("status", [423, 477])
async def test_what_is_locked_or_moving_is_worth_another_try(hubspot: Hubspot, status: int) -> None:
    hubspot.faults.append(Fault(status))
    async with connected(hubspot) as crm:
        with pytest.raises(CrmBusy):
            await crm.push([an_answer(CONTACT)])
