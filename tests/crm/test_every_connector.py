"""What every connector must do, whatever it leads to: one table of cases against a server of each vendor."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app.crm import read_destinations
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused
from app.logs import hide
from app.ports import Crm, ResponseToPush
from app.services import CRMS
from app.web import GuardedHttp
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.receiver import SECRET
from tests.crm.vendor import TOKEN, Fault, Held, Vendor
from tests.crm.vendors import VENDORS


@pytest.fixture(params=VENDORS, ids=lambda each: each.name)
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Vendor]:
    async with request.param() as serving:
        yield serving
        assert serving.violations == [], "a request the vendor's description does not know"


@pytest.fixture
async def crm(vendor: Vendor, tmp_path: Path) -> AsyncIterator[Crm]:
    """The vendor's connector, set up from a file as an operator writes it."""
    file = tmp_path / "crm.yml"
    file.write_text(yaml.safe_dump({"ours": {"connector": vendor.name, **vendor.options}}))
    async with httpx.AsyncClient() as http:
        yield read_destinations(file, CRMS)["ours"].connect(GuardedHttp(http, allow_private=True))


def after(tried: ResponseToPush, *remote_ids: str, **columns: Any) -> ResponseToPush:
    """The answer on its next push: what the last one returned, and what has grown since."""
    grown = replace(tried, columns=dict(tried.columns) | columns, version=tried.version + 2 * bool(columns))
    return replace(grown, remote_id=remote_ids[0] if remote_ids else None, tried=not remote_ids)


async def test_an_answer_arrives_with_its_score_and_comment(vendor: Vendor, crm: Crm) -> None:
    answer = an_answer(vendor.customer_id)
    assert not await crm.check()
    (remote_id,) = await crm.push([answer])
    assert remote_id
    assert vendor.held(answer.survey_id) == [Held(3, COMMENT)]


async def test_a_score_of_zero_without_a_comment_arrives(vendor: Vendor, crm: Crm) -> None:
    answer = an_answer(vendor.customer_id, score=0, comment=None)
    await crm.push([answer])
    assert vendor.held(answer.survey_id) == [Held(0, None)]


async def test_pushed_again_it_is_there_once(vendor: Vendor, crm: Crm) -> None:
    answer = an_answer(vendor.customer_id)
    remote_ids = await crm.push([answer])
    assert list(await crm.push([after(answer, *remote_ids)])) == list(remote_ids)
    assert vendor.held(answer.survey_id) == [Held(3, COMMENT)]


async def test_what_has_grown_takes_the_place_of_what_was_there(vendor: Vendor, crm: Crm) -> None:
    answer = an_answer(vendor.customer_id, comment=None)
    remote_ids = await crm.push([answer])
    await crm.push([after(answer, *remote_ids, comment="Now we know why.")])
    assert vendor.held(answer.survey_id) == [Held(3, "Now we know why.")]


async def test_of_two_answers_of_one_customer_both_are_kept_or_the_newest(vendor: Vendor, crm: Crm) -> None:
    first, second = (
        an_answer(vendor.customer_id, score=3),
        an_answer(vendor.customer_id, score=9, band="promoter"),
    )
    await crm.push([first])
    await crm.push([second])
    assert vendor.held(second.survey_id) == [Held(9, COMMENT)]
    assert vendor.held(first.survey_id) == ([Held(3, COMMENT)] if vendor.keeps_all else [])


async def test_a_push_that_was_carried_out_unheard_is_not_carried_out_twice(vendor: Vendor, crm: Crm) -> None:
    answer = an_answer(vendor.customer_id)
    vendor.faults.append(Fault(None, after=True))
    with pytest.raises(CrmBusy):
        await crm.push([answer])
    await crm.push([after(answer)])
    assert vendor.held(answer.survey_id) == [Held(3, COMMENT)]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_fault_of_theirs_is_worth_another_try(vendor: Vendor, crm: Crm, status: int) -> None:
    answer = an_answer(vendor.customer_id)
    vendor.faults.append(Fault(status))
    with pytest.raises(CrmBusy) as busy:
        await crm.push([answer])
    assert busy.value.http_status == status
    await crm.push([after(answer)])
    assert vendor.held(answer.survey_id) == [Held(3, COMMENT)]


async def test_too_many_requests_says_when_to_come_back(vendor: Vendor, crm: Crm) -> None:
    vendor.faults.append(Fault(429, {"Retry-After": "7"}))
    with pytest.raises(CrmBusy) as busy:
        await crm.push([an_answer(vendor.customer_id)])
    assert (busy.value.http_status, busy.value.retry_after) == (429, 7.0)


async def test_wrong_credentials_are_ours_to_mend(vendor: Vendor, crm: Crm) -> None:
    vendor.takes_token = False
    with pytest.raises(CrmMisconfigured):
        await crm.push([an_answer(vendor.customer_id)])


async def test_a_conflict_is_solved_or_shown(vendor: Vendor, crm: Crm) -> None:
    answer = an_answer(vendor.customer_id)
    vendor.faults.append(Fault(409))
    try:
        await crm.push([answer])
    except CrmRefused:
        return
    except CrmBusy:
        await crm.push([after(answer)])
    assert vendor.held(answer.survey_id) == [Held(3, COMMENT)]


@pytest.mark.parametrize("status", [400, 422])
async def test_what_they_will_never_take_is_refused(vendor: Vendor, crm: Crm, status: int) -> None:
    vendor.faults.append(Fault(status))
    with pytest.raises(CrmRefused):
        await crm.push([an_answer(vendor.customer_id)])


async def test_a_record_that_is_gone_is_said_to_be(vendor: Vendor, crm: Crm) -> None:
    if not vendor.has_records:
        pytest.skip("a table has no records of customers")
    vendor.lose_customer()
    with pytest.raises(CrmRefused):
        await crm.push([an_answer(vendor.customer_id)])


async def test_a_field_that_does_not_exist_is_found_before_any_answer_is_pushed(
    vendor: Vendor, crm: Crm
) -> None:
    if not vendor.has_fields:
        pytest.skip("a webhook has no fields")
    name = vendor.lose_field()
    problems = await crm.check()
    assert any(name in each for each in problems), problems


async def test_nobody_listens_there(vendor: Vendor, crm: Crm) -> None:
    await vendor.__aexit__(None, None, None)
    with pytest.raises(CrmBusy):
        await crm.push([an_answer(vendor.customer_id)])


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, None])
async def test_no_secret_and_nothing_of_the_customer_is_in_an_error(
    vendor: Vendor, crm: Crm, status: int | None
) -> None:
    vendor.faults.append(Fault(status))
    said = ""
    try:
        await crm.push([an_answer(vendor.customer_id)])
    except CrmError as error:
        said = f"{error} {error!r} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    for secret in (TOKEN, SECRET, PHONE, PHONE[1:], EMAIL, COMMENT):
        assert secret not in said
    assert hide(said) == said
