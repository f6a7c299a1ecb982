from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carrier import (
    CallStatus,
    MessageStatus,
    answerer,
    call_status,
    disposition,
    meaning_of,
    message_status,
    worth_another_attempt,
)
from app.carrier.outcomes import (
    CALL_STATUSES,
    ERROR_CODES,
    MESSAGE_STATUSES,
    Consequence,
    error_for,
    is_opt_out,
    later,
    later_message,
)
from app.errors import CarrierBusy, CarrierError, CarrierMisconfigured, CarrierOutcomeUnknown, CarrierRefused

PERMANENT = {21211, 21214, 21216, 13225, 21217, 13224, 13223, 21610, 21612, 21614, 30005, 30006, 63003, 63024}
CONFIGURATION = {
    20003,
    10001,
    21210,
    21212,
    21606,
    21215,
    13227,
    21408,
    21608,
    21219,
    21617,
    30034,
    63007,
    63016,
}
PAUSE = {20429, 10004, 21611, 30001, 63018, 30003, 30008}
TERMINAL: list[CallStatus] = ["completed", "busy", "no-answer", "failed", "canceled"]

call_statuses = st.sampled_from(CALL_STATUSES)
message_statuses = st.sampled_from(MESSAGE_STATUSES)


@st.composite
def orders(draw: st.DrawFn, statuses: st.SearchStrategy[str]) -> tuple[list[str], list[str]]:
    """The callbacks of one call, and the same ones in another order with repeats."""
    once = draw(st.lists(statuses, min_size=1, max_size=6))
    again = draw(st.lists(st.sampled_from(once), max_size=6))
    return once, draw(st.permutations(once + again))


@given(orders(call_statuses))
def test_call_callbacks_in_any_order_and_repeated_end_the_same(
    both: tuple[list[CallStatus], list[CallStatus]],
) -> None:
    once, shuffled = both
    assert reduce(later, once) == reduce(later, shuffled)


@given(orders(message_statuses))
def test_message_callbacks_in_any_order_and_repeated_end_the_same(
    both: tuple[list[MessageStatus], list[MessageStatus]],
) -> None:
    once, shuffled = both
    assert reduce(later_message, once) == reduce(later_message, shuffled)


@given(st.sampled_from(TERMINAL), st.lists(call_statuses, max_size=6))
def test_a_call_that_has_ended_stays_ended(ended: CallStatus, seen: list[CallStatus]) -> None:
    assert disposition(reduce(later, seen, ended)) is not None


@given(st.lists(call_statuses, max_size=6))
def test_a_person_who_was_reached_stays_reached(seen: list[CallStatus]) -> None:
    assert disposition(reduce(later, seen, "completed")) == "answered"


def test_a_call_moves_through_its_statuses() -> None:
    usual: list[CallStatus] = ["queued", "initiated", "ringing", "in-progress", "completed"]
    for earlier, after in pairwise(usual):
        assert later(earlier, after) == later(after, earlier) == after


def test_a_delivered_message_stays_delivered_and_may_be_read() -> None:
    assert later_message("delivered", "sent") == "delivered"
    assert later_message("undelivered", "sent") == "undelivered"
    assert later_message("read", "delivered") == "read"


@pytest.mark.parametrize("status", CALL_STATUSES)
def test_only_the_five_terminal_statuses_have_a_disposition(status: CallStatus) -> None:
    assert (disposition(status) is not None) == (status in TERMINAL)


def test_each_end_is_named_for_what_happened() -> None:
    assert [disposition(status) for status in TERMINAL] == [
        "answered",
        "busy",
        "no_answer",
        "failed",
        "canceled",
    ]


def test_busy_and_no_answer_are_worth_another_attempt_and_a_failure_only_if_it_was_the_networks() -> None:
    assert worth_another_attempt("busy")
    assert worth_another_attempt("no_answer")
    assert not worth_another_attempt("answered")
    assert not worth_another_attempt("canceled")
    assert not worth_another_attempt("failed")
    assert not worth_another_attempt("failed", sip_code=404)
    assert worth_another_attempt("failed", sip_code=503)


@pytest.mark.parametrize(
    ("answered_by", "who"),
    [
        ("human", "human"),
        ("machine", "machine"),
        ("machine_start", "machine"),
        ("machine_end_beep", "machine"),
        ("machine_end_silence", "machine"),
        ("machine_end_other", "machine"),
        ("fax", "machine"),
        ("unknown", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        ("something_new", "unknown"),
    ],
)
def test_who_answered(answered_by: str | None, who: str) -> None:
    assert answerer(answered_by) == who


def test_a_status_that_twilio_does_not_have_is_none() -> None:
    assert call_status("no-answer") == "no-answer"
    assert call_status("no_answer") is call_status("") is call_status(None) is None
    assert message_status("delivered") == "delivered"
    assert message_status("received") is message_status(None) is None


@pytest.mark.parametrize(
    ("codes", "consequence", "kind"),
    [
        (PERMANENT, "permanent", CarrierRefused),
        (CONFIGURATION, "configuration", CarrierMisconfigured),
        (PAUSE, "pause", CarrierBusy),
    ],
)
def test_each_code_has_its_consequence(
    codes: set[int], consequence: Consequence, kind: type[CarrierError]
) -> None:
    for code in codes:
        assert meaning_of(code).consequence == consequence
        assert type(error_for(400, code, repeatable=False)) is kind


def test_only_an_opt_out_suppresses() -> None:
    assert {code for code in ERROR_CODES if is_opt_out(code)} == {21610}
    assert not is_opt_out(None)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, CarrierRefused),
        (400, 99999, CarrierRefused),
        (401, None, CarrierMisconfigured),
        (403, None, CarrierMisconfigured),
        (404, 20404, CarrierMisconfigured),
        (302, None, CarrierMisconfigured),
        (408, None, CarrierBusy),
        (429, None, CarrierBusy),
        (403, 20429, CarrierBusy),
        (500, None, CarrierOutcomeUnknown),
        (503, 20429, CarrierOutcomeUnknown),
    ],
)
def test_an_answer_to_a_placing_has_its_consequence(
    status: int, code: int | None, kind: type[CarrierError]
) -> None:
    error = error_for(status, code, repeatable=False)
    assert type(error) is kind
    assert (error.http_status, error.carrier_code) == (status, code)


def test_a_server_error_on_what_may_be_repeated_is_a_pause() -> None:
    assert type(error_for(500, None, repeatable=True)) is CarrierBusy


def test_the_message_says_what_the_code_means() -> None:
    assert str(error_for(400, 21610, repeatable=False)) == "the carrier answered 400, code 21610 (opted_out)"
