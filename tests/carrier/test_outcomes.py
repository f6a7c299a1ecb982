import pytest

from app.carrier import (
    CallStatus,
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
    Consequence,
    error_for,
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


@pytest.mark.parametrize("status", ["failed", "busy", "no-answer"])
def test_who_declines_a_call_has_declined_it_however_the_network_calls_that(status: CallStatus) -> None:
    assert disposition(status, 603) == "declined"
    assert not worth_another_attempt("declined", 603)


@pytest.mark.parametrize("sip_code", [404, 484, 604])
def test_a_number_that_nobody_has_is_told_from_a_call_that_failed(sip_code: int) -> None:
    assert disposition("failed", sip_code) == "no_such_number"
    assert disposition("no-answer", sip_code) == "no_answer"
    assert not worth_another_attempt("no_such_number", sip_code)


@pytest.mark.parametrize("sip_code", [None, 480, 486, 500, 503])
def test_any_other_code_leaves_the_status_its_meaning(sip_code: int | None) -> None:
    assert disposition("failed", sip_code) == "failed"


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
    assert [code for code, meaning in ERROR_CODES.items() if meaning.word == "opted_out"] == [21610]
    assert meaning_of(None).word != "opted_out"


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
