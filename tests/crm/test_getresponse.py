"""What is GetResponse's own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from app.crm.getresponse import GetResponseOptions
from app.errors import CrmBusy, CrmRefused, NoRecord
from tests.crm.answers import EMAIL
from tests.crm.getresponse import GetResponseServer
from tests.crm.marketing import CUSTOMERS_OWN_TAG, answered, connected, known_by
from tests.crm.vendor import TOKEN, Fault


@pytest.fixture
async def account() -> AsyncIterator[GetResponseServer]:
    async with GetResponseServer() as serving:
        yield serving


async def test_fields_and_tags_that_are_not_ours_go_back_as_they_came(account: GetResponseServer) -> None:
    async with connected(account) as crm:
        await crm.push([answered(account, 9)])
        await crm.push([answered(account, 10, "promoter")])
    contact = account.people[account.customer_id]
    assert contact["values"][account.field_id("city")] == ["Gdańsk"]
    assert account.tags_of_customer == {CUSTOMERS_OWN_TAG, "nps_promoter"}
    assert contact["campaign"] == {"campaignId": "news"}


async def test_an_answer_is_written_in_one_request(account: GetResponseServer) -> None:
    async with connected(account) as crm:
        await crm.push([answered(account, 9)])
    assert [each.path for each in account.seen if account.writes(each)] == ["/v3/contacts/VsSPm"]


async def test_an_address_in_several_lists_is_refused_unless_the_rule_or_the_list_decides(
    account: GetResponseServer,
) -> None:
    account.add_contact("later", EMAIL, "offers", "2024-01-01T10:00:00+0000")
    answer = replace(answered(account, 9), customer=known_by())
    async with connected(account) as crm:
        with pytest.raises(NoRecord, match="2 records"):
            await crm.push([answer])
    async with connected(account, match={"by": ["email"], "several": "newest"}) as crm:
        assert list(await crm.push([answer])) == ["later"]
    async with connected(account, list_id="news") as crm:
        assert list(await crm.push([answer])) == [account.customer_id]


async def test_an_address_that_only_contains_the_customers_is_another(account: GetResponseServer) -> None:
    account.add_contact("other", f"x.{EMAIL}", "news", "2024-01-01T10:00:00+0000")
    async with connected(account) as crm:
        answer = replace(answered(account, 9), customer=known_by())
        assert list(await crm.push([answer])) == [account.customer_id]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": "432 seconds"}, 432.0),
        ({"X-RateLimit-Reset": "1"}, 1.0),
        ({"Retry-After": "2", "X-RateLimit-Reset": "432 seconds"}, 2.0),
        ({}, None),
    ],
)
async def test_it_says_in_its_own_words_when_to_come_back(
    account: GetResponseServer, headers: dict[str, str], seconds: float | None
) -> None:
    account.faults.append(Fault(429, headers))
    async with connected(account) as crm:
        with pytest.raises(CrmBusy) as busy:
            await crm.push([answered(account, 9)])
    assert (busy.value.http_status, busy.value.retry_after) == (429, seconds)


async def test_two_customers_at_the_same_time_make_a_tag_once(account: GetResponseServer) -> None:
    account.take_away_tags()
    account.add_contact("second", "second@customer.example", "news", "2024-01-01T10:00:00+0000")
    first, second = answered(account, 9), replace(answered(account, 9), customer=known_by("second"))
    async with connected(account) as crm:
        await asyncio.gather(crm.push([first]), crm.push([second]))
    assert sorted(account.tags.values()) == ["nps_detractor", "nps_passive", "nps_promoter"]


async def test_a_field_that_was_made_anew_is_found_again(account: GetResponseServer) -> None:
    async with connected(account) as crm:
        await crm.push([answered(account, 9)])
        old = account.field_id("nps_comment")
        account.people[account.customer_id]["values"].pop(old)
        account.fields["new"] = account.fields.pop(old)
        answer = answered(account, 10)
        with pytest.raises(CrmBusy):
            await crm.push([answer])
        await crm.push([replace(answer, tried=True)])
    assert account.held(answer.survey_id)[0].comment == "Why."


async def test_a_value_that_is_not_taken_is_refused_with_the_sort_of_error(
    account: GetResponseServer,
) -> None:
    async with connected(account, fields={"nps_score": "band", "nps_survey": "survey_id"}) as crm:
        with pytest.raises(CrmRefused, match="validation"):
            await crm.push([answered(account, 9)])


async def test_the_pages_of_a_long_list_are_all_read(account: GetResponseServer) -> None:
    account.fields = {
        f"f{number}": (f"other_{number}", "text", "string") for number in range(1000)
    } | account.fields
    async with connected(account) as crm:
        assert not await crm.check()
        await crm.push([answered(account, 9)])


async def test_a_max_account_is_told_by_its_domain(account: GetResponseServer) -> None:
    async with connected(account, domain="example.com") as crm:
        await crm.push([answered(account, 9)])
    assert {each.headers.get("x-domain") for each in account.seen} == {"example.com"}


async def test_any_other_account_sends_no_domain(account: GetResponseServer) -> None:
    async with connected(account) as crm:
        await crm.check()
    assert "x-domain" not in account.seen[0].headers


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"domain": "example.com"}, "api_url"),
        ({"domain": "https://example.com", "api_url": "https://api3.getresponse360.com/v3"}, "domain"),
        ({"domain": "www.example.com", "api_url": "https://api3.getresponse360.com/v3"}, "www"),
        ({"match": {"by": ["crm_id", "phone"]}}, "nobody by phone"),
    ],
)
def test_options_that_cannot_work_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        GetResponseOptions.model_validate({"token": TOKEN} | change)
