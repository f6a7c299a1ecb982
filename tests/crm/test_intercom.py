"""Intercom beyond the table of cases: notes and events, attributes, who the contact is, refusals."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.crm.intercom import KIND
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import CrmIdentity
from app.web import GuardedHttp
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, later
from tests.crm.intercom import CONTACT, FIELDS, Intercom
from tests.crm.vendor import TOKEN, Fault, Held

ANSWERED_AT = 1_795_256_403  # 2026-11-21T10:20:03Z
OTHER = "63a07ddf05a32042dffac966"


@pytest.fixture
async def intercom() -> AsyncIterator[Intercom]:
    async with Intercom() as vendor:
        yield vendor
        assert vendor.violations == []


async def test_a_token_alone_writes_a_note_on_the_contact(intercom: Intercom) -> None:
    intercom.attributes.clear()
    configured = KIND.configured({"token": TOKEN, "api_url": intercom.url})
    async with httpx.AsyncClient() as http:
        crm = configured.connect(GuardedHttp(http, allow_private=True))
        assert list(await crm.check()) == []
        await crm.push([an_answer(CONTACT, comment="<i>no</i>")])
    (note,) = intercom.notes
    assert note["body"].startswith("NPS 3 (detractor)<br>&lt;i&gt;no&lt;/i&gt;<br>")
    assert {each.headers["intercom-version"] for each in intercom.seen} == {"2.14"}


async def test_the_contact_s_attributes_hold_the_newest_answer(intercom: Intercom) -> None:
    newer = later(an_answer(CONTACT, score=9, comment=None), "2026-11-22T08:00:00Z")
    async with connected(intercom) as crm:
        await crm.push([an_answer(CONTACT, comment="x" * 300)])
        filled = dict(intercom.contacts[CONTACT]["custom_attributes"])
        await crm.push([newer])
        await crm.push([an_answer(CONTACT, score=2)])
    assert filled == {
        "nps_score": 3,
        "nps_band": "detractor",
        "nps_comment": "x" * 255,
        "nps_answered_at": ANSWERED_AT,
    }
    assert intercom.contacts[CONTACT]["custom_attributes"]["nps_score"] == 9
    assert intercom.contacts[CONTACT]["custom_attributes"]["nps_comment"] is None


async def test_a_note_is_not_repeated_however_many_there_are(intercom: Intercom) -> None:
    answer = an_answer(CONTACT)
    async with connected(intercom) as crm:
        for _ in range(3):
            await crm.push([an_answer(CONTACT)])
        intercom.faults.append(Fault(None, after=True))
        with pytest.raises(CrmBusy):
            await crm.push([answer])
        await crm.push([replace(answer, tried=True)])
    assert intercom.held(answer.survey_id) == [Held(3, COMMENT)]
    assert len(intercom.notes) == 4


async def test_an_event_is_tracked_once(intercom: Intercom) -> None:
    answer = an_answer(CONTACT)
    async with connected(intercom, event="answered-nps", note=None, admin_id="814") as crm:
        (remote_id,) = await crm.push([answer])
        await crm.push([replace(answer, remote_id=remote_id)])
    (event,) = intercom.events.values()
    assert event["created_at"] == ANSWERED_AT
    assert event["metadata"] == {"score": 3, "band": "detractor", "queue": "billing", "channel": "voice"}
    assert intercom.notes == []


async def test_a_note_says_whose_it_is(intercom: Intercom) -> None:
    async with connected(intercom, admin_id="814") as crm:
        await crm.push([an_answer(CONTACT)])
    assert intercom.notes[0]["admin_id"] == "814"


@pytest.mark.parametrize(("by", "known"), [("email", EMAIL), ("phone", PHONE)])
async def test_a_contact_is_found_by_e_mail_or_phone(intercom: Intercom, by: str, known: str) -> None:
    intercom.contacts.clear()
    intercom.a_contact(OTHER, **{by: known})
    async with connected(intercom, match={"by": [by]}) as crm:
        assert await crm.push([an_answer(None)]) == [OTHER]


async def test_of_several_contacts_none_or_the_newest_is_taken(intercom: Intercom) -> None:
    intercom.a_contact(OTHER, phone=PHONE)
    answer = replace(an_answer(None), customer=CrmIdentity("not-an-id", None, PHONE, None))
    async with connected(intercom) as crm:
        with pytest.raises(NoRecord, match="2 records"):
            await crm.push([answer])
    async with connected(intercom, match={"several": "newest"}) as crm:
        assert await crm.push([answer]) == [OTHER]


async def test_a_mapping_that_cannot_work_is_told_attribute_by_attribute(intercom: Intercom) -> None:
    intercom.attributes["nps_band"]["options"] = ["promoter", "passive"]
    intercom.attributes["nps_comment"]["api_writable"] = False
    wrong = FIELDS | {"nps_score": "queue", "nps_answered_at": "callback", "nothing": "agent"}
    async with connected(intercom, fields=wrong) as crm:
        assert sorted(await crm.check()) == [
            "the custom data attribute nps_answered_at cannot hold callback: its type is date",
            "the custom data attribute nps_band cannot hold band: its type is a list without detractor",
            "the custom data attribute nps_comment cannot hold comment: its type is read-only",
            "the custom data attribute nps_score cannot hold queue: its type is integer",
            "there is no custom data attribute nothing",
        ]


async def test_an_attribute_that_is_gone_is_ours_to_mend_and_a_value_is_not(intercom: Intercom) -> None:
    async with connected(intercom, fields={"nps_score": "comment"}) as crm:
        with pytest.raises(CrmRefused, match="nps_score") as refused:
            await crm.push([an_answer(CONTACT)])
        assert COMMENT not in str(refused.value)
        intercom.lose_field()
        with pytest.raises(CrmMisconfigured, match="nps_score"):
            await crm.push([an_answer(CONTACT)])


async def test_the_share_of_requests_begins_anew_when_intercom_says(intercom: Intercom) -> None:
    intercom.faults.append(Fault(429, {"X-RateLimit-Reset": str(int(time.time()) + 9)}))
    async with connected(intercom) as crm:
        with pytest.raises(CrmBusy) as busy:
            await crm.push([an_answer(CONTACT)])
    assert busy.value.retry_after is not None
    assert 7 <= busy.value.retry_after <= 9
