"""Zendesk beyond the table of cases: tickets and their internal notes, users, refusals."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.errors import CrmBusy, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import CrmIdentity
from tests.crm.answers import COMMENT, EMAIL, PHONE, an_answer
from tests.crm.connecting import connected, later, with_attributes
from tests.crm.vendor import Fault
from tests.crm.zendesk import FIELDS, TICKET, USER, Zendesk

TICKET_FIELD = {360001: "score"}


@pytest.fixture
async def zendesk() -> AsyncIterator[Zendesk]:
    async with Zendesk() as vendor:
        yield vendor
        assert vendor.violations == []


async def test_the_ticket_that_the_interaction_names_has_the_score_and_an_internal_note(
    zendesk: Zendesk,
) -> None:
    answer = with_attributes(an_answer(str(USER)), ticket_id=str(TICKET))
    async with connected(zendesk, ticket_fields=TICKET_FIELD) as crm:
        assert list(await crm.check()) == []
        assert await crm.push([answer]) == [f"tickets/{TICKET}"]
    ticket = zendesk.tickets[TICKET]
    assert ticket["custom_fields"] == {360001: 3}
    (note,) = ticket["comments"]
    assert note["public"] is False
    assert note["body"].startswith(f"Score: 3\nSaid: {COMMENT}\n\nZeroten {answer.survey_id} ")
    assert zendesk.users[USER]["user_fields"]["nps_score"] == 3


async def test_a_note_is_not_repeated_but_what_has_grown_is_told(zendesk: Zendesk) -> None:
    answer = with_attributes(an_answer(str(USER), comment=None), ticket_id=str(TICKET))
    async with connected(zendesk) as crm:
        (ticket,) = await crm.push([answer])
        await crm.push([replace(answer, remote_id=ticket)])
        grown = replace(answer, remote_id=ticket, columns={**answer.columns, "comment": "Too slow."})
        await crm.push([grown])
        await crm.push([grown])
    notes = [each["body"].partition("\n\n")[0] for each in zendesk.tickets[TICKET]["comments"]]
    assert notes == ["Score: 3", "Score: 3\nSaid: Too slow."]


async def test_a_note_that_nobody_heard_of_is_not_repeated(zendesk: Zendesk) -> None:
    answer = with_attributes(an_answer(str(USER)), ticket_id=str(TICKET))
    async with connected(zendesk) as crm:
        zendesk.faults.append(Fault(None, after=True))
        with pytest.raises(CrmBusy):
            await crm.push([answer])
        await crm.push([replace(answer, tried=True)])
    assert len(zendesk.tickets[TICKET]["comments"]) == 1


async def test_a_ticket_whose_customer_is_unknown_is_told_all_the_same(zendesk: Zendesk) -> None:
    answer = replace(an_answer("1"), customer=CrmIdentity("1", None, None, None))
    async with connected(zendesk) as crm:
        with pytest.raises(NoRecord):
            await crm.push([answer])
        await crm.push([with_attributes(answer, ticket_id=str(TICKET))])
    assert len(zendesk.tickets[TICKET]["comments"]) == 1


@pytest.mark.parametrize("named", ["1", "INC-17"])
async def test_a_ticket_that_is_none_is_said_to_be(zendesk: Zendesk, named: str) -> None:
    async with connected(zendesk) as crm:
        with pytest.raises(NoRecord):
            await crm.push([with_attributes(an_answer(str(USER)), ticket_id=named)])


async def test_a_closed_ticket_takes_nothing_and_that_is_said(zendesk: Zendesk) -> None:
    zendesk.tickets[TICKET]["status"] = "closed"
    async with connected(zendesk) as crm:
        with pytest.raises(CrmRefused, match="closed"):
            await crm.push([with_attributes(an_answer(str(USER)), ticket_id=str(TICKET))])


async def test_a_late_word_on_an_older_answer_does_not_take_the_newer_one_s_place(zendesk: Zendesk) -> None:
    async with connected(zendesk) as crm:
        await crm.push([later(an_answer(str(USER), score=9), "2026-11-22T08:00:00Z")])
        await crm.push([an_answer(str(USER), score=2)])
    assert zendesk.users[USER]["user_fields"]["nps_score"] == 9


@pytest.mark.parametrize("by", ["email", "phone"])
async def test_a_user_is_found_by_e_mail_or_phone(zendesk: Zendesk, by: str) -> None:
    zendesk.a_user(7, email=f"not.{EMAIL}", phone=f"{PHONE}8")  # the search finds part of a value, too
    async with connected(zendesk, match={"by": [by]}) as crm:
        assert await crm.push([an_answer(None)]) == [f"users/{USER}"]


async def test_of_several_users_none_or_the_newest_is_taken(zendesk: Zendesk) -> None:
    zendesk.a_user(7, email="other@customer.example", phone=PHONE)
    answer = replace(an_answer(None), customer=CrmIdentity(None, None, PHONE, None))
    async with connected(zendesk) as crm:
        with pytest.raises(NoRecord, match="2 records"):
            await crm.push([answer])
    async with connected(zendesk, match={"several": "newest"}) as crm:
        assert await crm.push([answer]) == ["users/7"]


async def test_a_field_that_zendesk_would_pass_over_is_ours_to_mend(zendesk: Zendesk) -> None:
    zendesk.lose_field()
    async with connected(zendesk) as crm:
        with pytest.raises(CrmMisconfigured, match="nps_score"):
            await crm.push([an_answer(str(USER))])


async def test_a_mapping_that_cannot_work_is_told_field_by_field(zendesk: Zendesk) -> None:
    zendesk.user_fields[1]["custom_field_options"].pop()
    zendesk.user_fields[3]["active"] = False
    wrong = FIELDS | {"nps_score": "comment"}
    async with connected(zendesk, fields=wrong, ticket_fields={7: "score"}) as crm:
        assert sorted(await crm.check()) == [
            "the user field nps_at cannot hold answered_at: its type is switched off",
            "the user field nps_band cannot hold band: its type is a list without detractor",
            "the user field nps_score cannot hold comment: its type is integer",
            "there is no ticket field 7",
        ]


async def test_what_a_field_refuses_is_told_by_the_field_s_name_alone(zendesk: Zendesk) -> None:
    async with connected(zendesk, fields=FIELDS | {"nps_score": "comment"}) as crm:
        with pytest.raises(CrmRefused) as refused:
            await crm.push([an_answer(str(USER))])
    assert str(refused.value) == "it answered 422 about nps_score"


async def test_without_an_agent_the_token_is_one_of_oauth(zendesk: Zendesk) -> None:
    async with connected(zendesk, email=None) as crm:
        await crm.push([an_answer(str(USER))])
    assert {each.headers["authorization"].split()[0] for each in zendesk.seen} == {"Bearer"}


async def test_an_address_without_a_zendesk_is_ours_to_mend(zendesk: Zendesk) -> None:
    zendesk.exists = False
    async with connected(zendesk) as crm:
        with pytest.raises(CrmMisconfigured, match="no Zendesk at this address"):
            await crm.push([an_answer(str(USER))])
