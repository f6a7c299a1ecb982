"""Salesforce beyond the table of cases: sessions, tasks and cases, an object of one's own, contacts, refusals."""

import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.crm.salesforce import KIND
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused, NoRecord, StartError
from app.ports import CrmIdentity, ResponseToPush
from app.web import GuardedHttp
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, later, with_attributes
from tests.crm.salesforce import CASE, CONTACT, FIELDS, OWN, Salesforce, a_field
from tests.crm.vendor import TOKEN, Fault, Held

OTHER = "0035g00000ZzZzZAAV"
PASSWORD = {
    "client_id": None, "client_secret": None,
    "username": EMAIL, "password": TOKEN, "security_token": "s3cur1ty",
}  # fmt: skip


@pytest.fixture
async def salesforce() -> AsyncIterator[Salesforce]:
    async with Salesforce() as vendor:
        yield vendor
        assert vendor.violations == []


def only_task(salesforce: Salesforce) -> dict[str, Any]:
    (task,) = salesforce.objects["Task"].values()
    return task


def known_by(**known: str) -> ResponseToPush:
    return replace(an_answer(None), customer=CrmIdentity(None, known.get("email"), known.get("phone"), None))


async def test_client_credentials_alone_write_a_completed_task_on_the_contact(salesforce: Salesforce) -> None:
    salesforce.fields["Contact"].clear()
    given = {"login_url": salesforce.url, "client_id": "3MVG9", "client_secret": TOKEN}
    async with httpx.AsyncClient() as http:
        crm = KIND.configured(given).connect(GuardedHttp(http, allow_private=True))
        assert list(await crm.check()) == []
        await crm.push([an_answer(CONTACT)])
    task = only_task(salesforce)
    assert (task["WhoId"], task["Subject"], task["Status"]) == (CONTACT, "NPS 3 (detractor)", "Completed")
    assert task["ActivityDate"] == "2026-11-21"
    assert task["Description"].startswith(f"NPS 3 (detractor)\n{COMMENT}\nWants to be called back: True\n")


async def test_a_session_that_ended_is_begun_anew(salesforce: Salesforce) -> None:
    answer = an_answer(CONTACT)
    async with connected(salesforce) as crm:
        await crm.push([an_answer(CONTACT)])
        salesforce.sessions += 1
        await crm.push([answer])
    assert salesforce.held(answer.survey_id) == [Held(3, COMMENT)]


async def test_a_session_that_never_holds_is_ours_to_mend(salesforce: Salesforce) -> None:
    salesforce.ends_sessions = True
    async with connected(salesforce) as crm:
        with pytest.raises(CrmMisconfigured):
            await crm.push([an_answer(CONTACT)])
    assert salesforce.sessions == 2


async def test_pushes_at_the_same_time_sign_in_once(salesforce: Salesforce) -> None:
    async with connected(salesforce) as crm:
        await asyncio.gather(*(crm.push([an_answer(CONTACT)]) for _ in range(4)))
    assert salesforce.sessions == 1
    assert len(salesforce.objects["Task"]) == 4


async def test_pushes_that_wait_keep_nobody_from_looking_up_addresses(salesforce: Salesforce) -> None:
    by_name = salesforce.url.replace("127.0.0.1", "localhost")
    with ThreadPoolExecutor(1) as only_thread:
        asyncio.get_running_loop().set_default_executor(only_thread)
        async with connected(salesforce, login_url=by_name) as crm, asyncio.timeout(10):
            await crm.push([an_answer(CONTACT)])


async def test_a_refresh_token_signs_in_and_a_revoked_one_is_ours_to_mend(salesforce: Salesforce) -> None:
    async with connected(salesforce, refresh_token="5Aep") as crm:
        await crm.push([an_answer(CONTACT)])
    async with connected(salesforce, refresh_token="revoked") as crm:
        with pytest.raises(CrmMisconfigured, match=r"does not let us in \(invalid_grant\)$"):
            await crm.push([an_answer(CONTACT)])


async def test_a_user_s_password_and_security_token_sign_in(salesforce: Salesforce) -> None:
    async with connected(salesforce, **PASSWORD) as crm:
        await crm.push([an_answer(CONTACT)])
    assert only_task(salesforce)["WhoId"] == CONTACT


@pytest.mark.parametrize(
    ("fault", "follows"), [("INVALID_LOGIN", CrmMisconfigured), ("SERVER_UNAVAILABLE", CrmBusy)]
)
async def test_what_a_refusal_to_sign_in_means_is_told_by_its_code(
    salesforce: Salesforce, fault: str, follows: type[Exception]
) -> None:
    salesforce.soap_fault = fault
    async with connected(salesforce, **PASSWORD) as crm:
        with pytest.raises(follows) as refused:
            await crm.push([an_answer(CONTACT)])
    assert EMAIL not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "code", "follows"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", CrmBusy),
        (400, "UNABLE_TO_LOCK_ROW", CrmBusy),
        (403, "INSUFFICIENT_ACCESS", CrmMisconfigured),
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE", CrmMisconfigured),
        (400, "ENTITY_IS_DELETED", NoRecord),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", CrmRefused),
    ],
)
async def test_what_follows_from_a_refusal_is_told_by_its_code(
    salesforce: Salesforce, status: int, code: str, follows: type[Exception]
) -> None:
    salesforce.codes[status] = code
    salesforce.faults.append(Fault(status))
    async with connected(salesforce) as crm:
        with pytest.raises(follows, match=code) as refused:
            await crm.push([an_answer(CONTACT)])
    assert type(refused.value) is follows


async def test_the_day_s_calls_being_used_up_is_waited_out(salesforce: Salesforce) -> None:
    salesforce.codes[403] = "REQUEST_LIMIT_EXCEEDED"
    salesforce.faults.append(Fault(403))
    async with connected(salesforce) as crm:
        with pytest.raises(CrmBusy) as busy:
            await crm.push([an_answer(CONTACT)])
    assert busy.value.retry_after == 60


async def test_an_address_that_sends_elsewhere_is_not_followed(salesforce: Salesforce) -> None:
    salesforce.moved = True
    async with connected(salesforce) as crm:
        with pytest.raises(CrmMisconfigured, match="redirect"):
            await crm.push([an_answer(CONTACT)])
    assert {each.path for each in salesforce.seen} == {"/services/oauth2/token"}


async def test_a_private_address_is_guarded(salesforce: Salesforce) -> None:
    configured = KIND.configured(salesforce.options)
    async with httpx.AsyncClient() as http:
        with pytest.raises(CrmMisconfigured, match="https"):
            await configured.connect(GuardedHttp(http, allow_private=False)).push([an_answer(CONTACT)])
    assert salesforce.seen == []


async def test_a_case_that_the_interaction_names_has_the_task_too(salesforce: Salesforce) -> None:
    async with connected(salesforce) as crm:
        await crm.push([with_attributes(an_answer(CONTACT), case_id=CASE)])
    assert (only_task(salesforce)["WhoId"], only_task(salesforce)["WhatId"]) == (CONTACT, CASE)


async def test_a_case_as_the_crm_id_needs_no_contact(salesforce: Salesforce) -> None:
    answer = replace(an_answer(CASE), customer=CrmIdentity(CASE, None, None, None))
    async with connected(salesforce) as crm:
        await crm.push([answer])
        salesforce.faults.append(Fault(None, after=True))
        other = replace(an_answer(CASE), customer=answer.customer)
        with pytest.raises(CrmBusy):
            await crm.push([other])
        await crm.push([replace(other, tried=True)])
    assert [each.get("WhoId") for each in salesforce.objects["Task"].values()] == [None, None]
    assert salesforce.held(other.survey_id) == [Held(3, COMMENT)]


@pytest.mark.parametrize("case", ["CS-1017", "5005g00000GoneGAAV", "../../Contact/0035"])
async def test_a_case_that_is_none_is_said_to_be(salesforce: Salesforce, case: str) -> None:
    async with connected(salesforce) as crm:
        with pytest.raises(NoRecord):
            await crm.push([with_attributes(an_answer(CONTACT), case_id=case)])


async def test_a_task_that_somebody_deleted_is_written_again(salesforce: Salesforce) -> None:
    answer = an_answer(CONTACT)
    async with connected(
        salesforce, task={"description": "Score: {score}", "fields": {"Called_Back__c": "callback"}}
    ) as crm:
        (task,) = await crm.push([answer])
        del salesforce.objects["Task"][task]
        await crm.push([replace(answer, remote_id=task, callback=None)])
    assert only_task(salesforce)["Called_Back__c"] is False


async def test_an_object_of_one_s_own_has_a_record_for_each_response(salesforce: Salesforce) -> None:
    answer = with_attributes(an_answer(CONTACT), case_id=CASE)
    own = {
        "type": OWN, "external_id": "Survey__c", "contact": "Contact__c", "case": "Case__c",
        "fields": {"Score__c": "score", "Callback__c": "callback"},
    }  # fmt: skip
    async with connected(salesforce, record=own) as crm:
        assert list(await crm.check()) == []
        (record,) = await crm.push([answer])
        assert await crm.push([replace(answer, tried=True)]) == [record]
    assert [*salesforce.objects[OWN]] == [record]
    told = {
        "Survey__c": str(answer.survey_id),
        "Score__c": 3,
        "Callback__c": True,
        "Contact__c": CONTACT,
        "Case__c": CASE,
    }
    assert told.items() <= salesforce.objects[OWN][record].items()
    assert salesforce.objects["Task"] == {}


async def test_an_object_or_external_id_that_does_not_exist_is_ours_to_mend(salesforce: Salesforce) -> None:
    for wrong in (
        {"type": "Nothing__c", "external_id": "Survey__c"},
        {"type": OWN, "external_id": "Nothing__c"},
    ):
        async with connected(salesforce, record={**wrong, "fields": {"Score__c": "score"}}) as crm:
            assert len(await crm.check()) == 1
            with pytest.raises(CrmMisconfigured, match="Nothing__c"):
                await crm.push([an_answer(CONTACT)])


async def test_a_late_word_on_an_older_answer_does_not_take_the_newer_one_s_place(
    salesforce: Salesforce,
) -> None:
    async with connected(salesforce) as crm:
        await crm.push([later(an_answer(CONTACT, score=9), "2026-11-22T08:00:00Z")])
        await crm.push([an_answer(CONTACT, score=2)])
    assert salesforce.objects["Contact"][CONTACT]["NPS_Score__c"] == 9
    assert len(salesforce.objects["Task"]) == 2


@pytest.mark.parametrize("typed", [PHONE, "22 123 45 67", "+48 22 123 45 67", "(22) 123-45-67", "221234567"])
async def test_a_contact_is_found_by_phone_as_people_type_it(salesforce: Salesforce, typed: str) -> None:
    salesforce.objects["Contact"].clear()
    salesforce.a_record("Contact", OTHER, MobilePhone=typed)
    async with connected(salesforce) as crm:
        await crm.push([known_by(phone=PHONE)])
    assert only_task(salesforce)["WhoId"] == OTHER


async def test_a_contact_is_found_by_e_mail_whatever_is_in_it(salesforce: Salesforce) -> None:
    salesforce.a_record("Contact", OTHER, Email="o'hara\\@customer.example")
    async with connected(salesforce) as crm:
        await crm.push([known_by(email="o'hara\\@customer.example")])
    assert only_task(salesforce)["WhoId"] == OTHER


async def test_of_several_contacts_none_or_the_newest_is_taken(salesforce: Salesforce) -> None:
    salesforce.a_record("Contact", OTHER, Phone="22 123 45 67", Email=EMAIL)
    for known in ({"phone": PHONE}, {"email": EMAIL}):
        async with connected(salesforce) as crm:
            with pytest.raises(NoRecord, match="2 records"):
                await crm.push([known_by(**known)])
        async with connected(salesforce, match={"several": "newest"}) as crm:
            await crm.push([known_by(**known)])
    assert [each["WhoId"] for each in salesforce.objects["Task"].values()] == [OTHER, OTHER]


async def test_a_mapping_that_cannot_work_is_told_field_by_field(salesforce: Salesforce) -> None:
    wrong = FIELDS | {"NPS_Score__c": "comment", "Name": "band", "Title": "comment", "Nothing__c": "queue"}
    async with connected(salesforce, fields=wrong, task={"fields": {"Gone__c": "agent"}}) as crm:
        assert sorted(await crm.check()) == [
            "the field of Contact NPS_Score__c cannot hold comment: its type is double",
            "the field of Contact Name cannot hold band: its type is read-only",
            "the field of Contact Title cannot hold comment: its type is text of 128 characters",
            "there is no field of Contact Nothing__c",
            "there is no field of Task Gone__c",
        ]


async def test_a_contact_of_thousands_of_fields_is_read_whole(salesforce: Salesforce) -> None:
    for number in range(4000):
        name = f"Field_{number}__c"
        salesforce.fields["Contact"][name] = a_field(name, "string", 255, label="x" * 300)
    async with connected(salesforce) as crm:
        assert list(await crm.check()) == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"client_id": "3MVG9"},
        {"client_id": "3MVG9", "client_secret": "s", **{k: v for k, v in PASSWORD.items() if v}},
        {**{k: v for k, v in PASSWORD.items() if v}, "api_version": "65.0"},
        {"client_id": "3MVG9", "client_secret": "s", "fields": {"Name FROM User --": "band"}},
    ],
)
def test_one_way_to_sign_in_and_names_that_are_names(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KIND.configured(given)


def test_without_the_library_the_start_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simple_salesforce", None)
    configured = KIND.configured({"client_id": "3MVG9", "client_secret": "s"})
    with pytest.raises(StartError, match="make crm"):
        configured.connect(GuardedHttp(httpx.AsyncClient(), allow_private=False))
