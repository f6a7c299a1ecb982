"""What is Mailchimp's own."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.crm.mailchimp import KIND, LONGEST_BYTES, MailchimpOptions
from app.errors import CrmBusy, CrmMisconfigured, NoRecord
from app.web import GuardedHttp
from tests.crm.answers import COMMENT, EMAIL
from tests.crm.mailchimp import MailchimpServer, hashed
from tests.crm.marketing import answered, connected, known_by
from tests.crm.vendor import Fault, Request

MINIMAL: dict[str, Any] = {"token": "0123456789abcdef-us21", "audience": "a1b2c3"}


@pytest.fixture
async def mailchimp() -> AsyncIterator[MailchimpServer]:
    async with MailchimpServer() as serving:
        yield serving


def changes(mailchimp: MailchimpServer) -> list[Request]:
    return [each for each in mailchimp.seen if mailchimp.writes(each)]


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed", "cleaned", "pending", "transactional"])
async def test_nobody_is_subscribed_or_unsubscribed(mailchimp: MailchimpServer, status: str) -> None:
    mailchimp.members[mailchimp.customer_id]["status"] = status
    async with connected(mailchimp) as crm:
        await crm.push([answered(mailchimp, 9)])
    assert mailchimp.members[mailchimp.customer_id]["status"] == status
    patches = [each.json for each in changes(mailchimp) if each.method == "PATCH"]
    assert [list(each) for each in patches] == [["merge_fields"]]


async def test_a_contact_that_was_archived_is_gone(mailchimp: MailchimpServer) -> None:
    mailchimp.members[mailchimp.customer_id]["status"] = "archived"
    async with connected(mailchimp) as crm:
        with pytest.raises(NoRecord):
            await crm.push([answered(mailchimp, 9)])
        with pytest.raises(NoRecord, match="gone"):
            await crm.push([replace(answered(mailchimp, 9), remote_id=mailchimp.customer_id)])


@pytest.mark.parametrize("crm_id", [hashed(EMAIL), EMAIL, EMAIL.title()])
async def test_an_id_may_be_the_hash_or_the_address(mailchimp: MailchimpServer, crm_id: str) -> None:
    async with connected(mailchimp, match={"by": ["crm_id"]}) as crm:
        answer = replace(answered(mailchimp, 9), customer=known_by(crm_id, None))
        assert list(await crm.push([answer])) == [mailchimp.customer_id]


async def test_a_contact_whose_address_changed_is_found_again(mailchimp: MailchimpServer) -> None:
    async with connected(mailchimp) as crm:
        answer = answered(mailchimp, 9)
        (contact_id,) = await crm.push([answer])
        member = mailchimp.members[mailchimp.customer_id]
        member |= {"email_address": "new@customer.example", "id": hashed("new@customer.example")}
        await crm.push([replace(answer, remote_id=contact_id)])
    assert len(mailchimp.held(answer.survey_id)) == 1


async def test_a_comment_is_cut_to_what_a_field_takes_between_two_letters(mailchimp: MailchimpServer) -> None:
    long = "ą" * 300
    async with connected(mailchimp) as crm:
        answer = answered(mailchimp, 9, comment=long)
        await crm.push([answer])
    (held,) = mailchimp.held(answer.survey_id)
    assert held.comment is not None
    assert held.comment == "ą" * 126 + "…"
    assert len(held.comment.encode()) == LONGEST_BYTES


async def test_a_comment_that_just_fits_is_left_whole(mailchimp: MailchimpServer) -> None:
    fits = "ą" * 127 + "!"
    async with connected(mailchimp) as crm:
        answer = answered(mailchimp, 9, comment=fits)
        await crm.push([answer])
    assert mailchimp.held(answer.survey_id)[0].comment == fits


async def test_tags_that_are_right_are_not_written_again(mailchimp: MailchimpServer) -> None:
    async with connected(mailchimp) as crm:
        answer = answered(mailchimp, 9)
        (contact_id,) = await crm.push([answer])
        mailchimp.seen.clear()
        await crm.push([replace(answer, remote_id=contact_id)])
    assert [each.method for each in changes(mailchimp)] == ["PATCH"]


async def test_a_score_is_a_number_and_what_has_no_value_is_emptied(mailchimp: MailchimpServer) -> None:
    async with connected(mailchimp) as crm:
        await crm.push([answered(mailchimp, 9, comment=None)])
    written = json.loads(changes(mailchimp)[0].body)["merge_fields"]
    assert (written["NPSSCORE"], written["NPSCOMMENT"]) == (2, "")


async def test_a_wrong_data_centre_is_ours_to_mend(mailchimp: MailchimpServer) -> None:
    mailchimp.faults.append(Fault(403))
    async with connected(mailchimp) as crm:
        with pytest.raises(CrmMisconfigured):
            await crm.push([answered(mailchimp, 9)])


async def test_too_many_connections_are_worth_another_try(mailchimp: MailchimpServer) -> None:
    mailchimp.faults.append(Fault(429))
    async with connected(mailchimp) as crm:
        with pytest.raises(CrmBusy) as busy:
            await crm.push([answered(mailchimp, 9)])
    assert busy.value.retry_after is None


async def test_an_audience_that_does_not_exist_is_found(mailchimp: MailchimpServer) -> None:
    async with connected(mailchimp, audience="other") as crm:
        with pytest.raises(CrmMisconfigured, match="audience"):
            await crm.check()


async def test_the_key_says_where_the_api_is() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(503)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        crm = KIND.configured(MINIMAL).connect(GuardedHttp(http, allow_private=True))
        with pytest.raises(CrmBusy):
            await crm.check()
    assert asked[0].startswith("https://us21.api.mailchimp.com/3.0/lists/a1b2c3/merge-fields?")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"token": "0123456789abcdef"}, "data centre"),
        ({"token": "0123456789abcdef-evil.example/"}, "data centre"),
        ({"match": {"by": ["phone"]}}, "nobody by phone"),
        ({"fields": {"NPS_COMMENTS": "comment"}}, "NPS_COMMENTS"),
        ({"fields": {"EMAIL": "email"}}, "EMAIL"),
        ({"tags": {"promotor": "fan"}}, "promotor"),
    ],
)
def test_options_that_cannot_work_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        MailchimpOptions(**MINIMAL | change)


def test_a_comment_of_the_answers_fits() -> None:
    assert len(COMMENT.encode()) < LONGEST_BYTES
