"""What is ActiveCampaign's own."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.crm.activecampaign import KIND
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused, NoRecord
from app.web import GuardedHttp
from tests.crm.activecampaign import ActiveCampaignServer
from tests.crm.answers import EMAIL, PHONE
from tests.crm.marketing import answered, connected, known_by
from tests.crm.vendor import TOKEN, Fault


@pytest.fixture
async def account() -> AsyncIterator[ActiveCampaignServer]:
    async with ActiveCampaignServer() as serving:
        yield serving


async def test_a_customer_is_found_by_phone(account: ActiveCampaignServer) -> None:
    account.add_contact("114", "other@customer.example", PHONE + "9")
    async with connected(account) as crm:
        answer = replace(answered(account, 9), customer=known_by(None, None, PHONE))
        assert list(await crm.push([answer])) == [account.customer_id]


async def test_of_several_with_one_phone_none_or_the_newest_is_taken(account: ActiveCampaignServer) -> None:
    account.add_contact("114", "other@customer.example", PHONE)
    answer = replace(answered(account, 9), customer=known_by(None, None, PHONE))
    async with connected(account) as crm:
        with pytest.raises(NoRecord, match="2 records"):
            await crm.push([answer])
    async with connected(account, match={"several": "newest"}) as crm:
        assert list(await crm.push([answer])) == ["114"]


async def test_fields_that_are_not_ours_stay(account: ActiveCampaignServer) -> None:
    async with connected(account) as crm:
        await crm.push([answered(account, 9)])
    assert account.people[account.customer_id]["values"]["1"] == "theirs"


async def test_fields_and_tags_are_looked_up_once_for_many_answers(account: ActiveCampaignServer) -> None:
    async with connected(account) as crm:
        await crm.push([answered(account, 9)])
        account.seen.clear()
        await crm.push([replace(answered(account, 10), remote_id=account.customer_id)])
    assert [(each.method, each.path) for each in account.seen] == [
        ("GET", "/api/3/contacts/113"),
        ("GET", "/api/3/contacts/113/contactTags"),
        ("PUT", "/api/3/contacts/113"),
    ]


async def test_a_field_that_is_made_after_all_is_found_at_once(account: ActiveCampaignServer) -> None:
    lost = {each: kind for each, kind in account.fields.items() if kind[0] == "NPS_COMMENT"}
    account.lose_field()
    answer = answered(account, 9)
    async with connected(account) as crm:
        with pytest.raises(CrmMisconfigured):
            await crm.push([answer])
        account.fields |= lost
        await crm.push([answer])
    assert account.held(answer.survey_id)[0].comment == "Why."


async def test_a_tag_that_cannot_be_made_holds_answers_back(account: ActiveCampaignServer) -> None:
    account.take_away_tags()
    account.faults.append(Fault(422))
    async with connected(account) as crm:
        with pytest.raises(CrmMisconfigured, match="nps_detractor"):
            await crm.push([answered(account, 9)])


async def test_an_account_that_was_not_paid_for_holds_answers_back(account: ActiveCampaignServer) -> None:
    account.faults.append(Fault(402))
    async with connected(account) as crm:
        with pytest.raises(CrmMisconfigured):
            await crm.push([answered(account, 9)])


async def test_what_it_asks_to_wait_is_waited(account: ActiveCampaignServer) -> None:
    account.faults.append(Fault(429, {"RateLimit-Limit": "5", "Retry-After": "30"}))
    async with connected(account) as crm:
        with pytest.raises(CrmBusy) as busy:
            await crm.push([answered(account, 9)])
    assert busy.value.retry_after == 30


async def test_the_title_of_an_error_is_told_without_the_customer(account: ActiveCampaignServer) -> None:
    account.faults.append(Fault(422))
    async with connected(account) as crm:
        with pytest.raises(CrmRefused, match="was not taken") as refused:
            await crm.push([answered(account, 9)])
    assert EMAIL not in str(refused.value)


@pytest.mark.parametrize("url", ["{}", "{}/", "{}/api/3", "{}/api/3/"])
async def test_the_account_may_be_named_with_or_without_the_path(
    account: ActiveCampaignServer, url: str
) -> None:
    async with connected(account, api_url=url.format(account.url)) as crm:
        assert not await crm.check()


@pytest.mark.parametrize(
    "url", ["http://acme.api-us1.com", "https://127.0.0.1", "https://169.254.169.254/latest"]
)
async def test_an_address_in_our_own_network_is_not_asked(url: str) -> None:
    async with httpx.AsyncClient() as http:
        configured = KIND.configured({"token": TOKEN, "api_url": url})
        with pytest.raises(CrmMisconfigured):
            await configured.connect(GuardedHttp(http, allow_private=False)).check()
