"""What every marketing tool's connector does: a customer's newest answer in fields, and a tag that says its band."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.errors import CrmBusy, CrmMisconfigured, NoRecord
from app.ports import Crm
from app.services import CRMS
from tests.crm.activecampaign import ActiveCampaignServer
from tests.crm.answers import EMAIL
from tests.crm.getresponse import GetResponseServer
from tests.crm.mailchimp import MailchimpServer
from tests.crm.marketing import CUSTOMERS_OWN_TAG, MarketingTool, answered, connected, known_by
from tests.crm.vendor import Fault, Held

TOOLS: tuple[type[MarketingTool], ...] = (ActiveCampaignServer, GetResponseServer, MailchimpServer)


def default_fields(tool: MarketingTool) -> dict[str, str]:
    fields: dict[str, str] = CRMS[tool.name].configured(tool.options).options.model_dump()["fields"]
    return fields


@pytest.fixture(params=TOOLS, ids=lambda each: each.name)
async def tool(request: pytest.FixtureRequest) -> AsyncIterator[MarketingTool]:
    async with request.param() as serving:
        yield serving


@pytest.fixture
async def crm(tool: MarketingTool) -> AsyncIterator[Crm]:
    async with connected(tool) as crm:
        yield crm


async def test_the_tag_says_the_band_of_the_newest_answer(tool: MarketingTool, crm: Crm) -> None:
    for hour, band in enumerate(("detractor", "promoter", "passive", "detractor")):
        await crm.push([answered(tool, hour, band)])
        assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, f"nps_{band}"}


async def test_a_tag_that_does_not_exist_is_made(tool: MarketingTool, crm: Crm) -> None:
    tool.take_away_tags()
    await crm.push([answered(tool, 9, "promoter")])
    assert tool.tags_of_customer == {"nps_promoter"}


async def test_bands_may_have_tags_of_the_operators_choice_or_none(tool: MarketingTool) -> None:
    async with connected(tool, tags={"promoter": "fan", "passive": None, "detractor": "at_risk"}) as crm:
        await crm.push([answered(tool, 9, "detractor")])
        assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, "at_risk"}
        await crm.push([answered(tool, 10, "passive")])
        assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG}
        await crm.push([answered(tool, 11, "promoter")])
        assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, "fan"}


async def test_two_bands_may_share_a_tag(tool: MarketingTool) -> None:
    async with connected(tool, tags={"promoter": "fine", "passive": "fine", "detractor": "at_risk"}) as crm:
        await crm.push([answered(tool, 9, "promoter")])
        await crm.push([answered(tool, 10, "passive")])
    assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, "fine"}


async def test_a_newer_answer_takes_the_place_of_an_earlier_one_and_of_its_comment(
    tool: MarketingTool, crm: Crm
) -> None:
    earlier, newer = answered(tool, 9), answered(tool, 10, "promoter", comment=None)
    await crm.push([earlier])
    await crm.push([newer])
    assert tool.held(earlier.survey_id) == []
    assert tool.held(newer.survey_id) == [Held(10, None)]


async def test_an_earlier_answer_that_comes_late_changes_nothing(tool: MarketingTool, crm: Crm) -> None:
    earlier, newer = answered(tool, 9), answered(tool, 10, "promoter")
    (contact_id,) = await crm.push([newer])
    assert list(await crm.push([earlier])) == [contact_id]
    assert tool.held(newer.survey_id) == [Held(10, "Why.")]
    assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, "nps_promoter"}


async def test_a_late_transcript_of_an_earlier_answer_changes_nothing(tool: MarketingTool, crm: Crm) -> None:
    earlier, newer = answered(tool, 9, comment=None), answered(tool, 10, "promoter")
    (contact_id,) = await crm.push([earlier])
    await crm.push([newer])
    grown = dict(earlier.columns) | {"comment": "Transcribed at last."}
    await crm.push([replace(earlier, columns=grown, remote_id=contact_id, event="response.updated")])
    assert tool.held(newer.survey_id) == [Held(10, "Why.")]


async def test_of_two_at_the_same_time_the_newer_stays(tool: MarketingTool, crm: Crm) -> None:
    earlier, newer = answered(tool, 9), answered(tool, 10, "promoter")
    await asyncio.gather(crm.push([newer]), crm.push([earlier]))
    assert tool.held(newer.survey_id) == [Held(10, "Why.")]
    assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, "nps_promoter"}


async def test_without_a_field_for_the_time_the_last_to_come_stays(tool: MarketingTool) -> None:
    untimed = {name: source for name, source in default_fields(tool).items() if source != "answered_at"}
    async with connected(tool, fields=untimed) as crm:
        await crm.push([answered(tool, 10, "promoter")])
        last = answered(tool, 9)
        await crm.push([last])
    assert tool.held(last.survey_id) == [Held(2, "Why.")]


async def test_a_tag_that_was_not_set_any_more_is_set_on_the_next_try(tool: MarketingTool, crm: Crm) -> None:
    await crm.push([answered(tool, 9)])
    answer = answered(tool, 10, "promoter")
    tool.faults.append(Fault(503, after=True))
    with pytest.raises(CrmBusy):
        await crm.push([answer])
    await crm.push([replace(answer, tried=True)])
    assert tool.held(answer.survey_id) == [Held(10, "Why.")]
    assert tool.tags_of_customer == {CUSTOMERS_OWN_TAG, "nps_promoter"}


async def test_a_tag_that_was_deleted_is_made_anew_at_the_next_try_at_the_latest(
    tool: MarketingTool, crm: Crm
) -> None:
    await crm.push([answered(tool, 9)])
    tool.take_away_tags()
    answer = answered(tool, 10, "promoter")
    try:
        await crm.push([answer])
    except CrmBusy:
        await crm.push([replace(answer, tried=True)])
    assert tool.held(answer.survey_id) == [Held(10, "Why.")]
    assert tool.tags_of_customer == {"nps_promoter"}


async def test_a_customer_is_found_by_e_mail_however_it_is_written(tool: MarketingTool, crm: Crm) -> None:
    answer = replace(answered(tool, 9), customer=known_by(email=EMAIL.upper(), phone=None))
    assert list(await crm.push([answer])) == [tool.customer_id]


async def test_an_id_of_another_system_leaves_the_e_mail_to_find_the_customer(
    tool: MarketingTool, crm: Crm
) -> None:
    answer = replace(answered(tool, 9), customer=known_by("0035g00000XyZ", EMAIL))
    assert list(await crm.push([answer])) == [tool.customer_id]


async def test_nobody_is_ever_added(tool: MarketingTool, crm: Crm) -> None:
    stranger = replace(
        answered(tool, 9), customer=known_by("987654", "nobody@customer.example", "+48555000111")
    )
    before = tool.contacts
    with pytest.raises(NoRecord):
        await crm.push([stranger])
    assert tool.contacts == before
    assert not any(tool.writes(each) for each in tool.seen)


async def test_a_field_of_a_type_that_cannot_hold_the_value_is_found(tool: MarketingTool, crm: Crm) -> None:
    name = next(each for each, source in default_fields(tool).items() if source == "comment")
    tool.make_dates_of(name)
    (problem,) = await crm.check()
    assert name in problem
    assert "date" in problem


async def test_a_field_that_was_deleted_holds_answers_back_and_loses_none(tool: MarketingTool) -> None:
    name = tool.lose_field()
    async with connected(tool) as crm:
        with pytest.raises(CrmMisconfigured, match=name):
            await crm.push([answered(tool, 9)])
