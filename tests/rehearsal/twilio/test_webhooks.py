"""Webhooks are signed, timed and repeated as the carrier documents them, and fail as they are told to."""

from dataclasses import replace
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller, read_script
from app.rehearsal.twilio import RehearsedCarrier, Request
from app.rehearsal.twilio.call import Call, CallRequest
from app.rehearsal.twilio.faults import Faults
from app.rehearsal.twilio.performance import APOLOGY
from app.rehearsal.twilio.verbs import Inline
from tests.rehearsal.twilio.conftest import SID, TOKEN
from tests.rehearsal.twilio.product import Product

TO, FROM = "+48221234567", "+48221111111"
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})


def request(product: Product, path: str = "/voice", **more: Any) -> CallRequest:
    return replace(
        CallRequest(TO, FROM, Request(product.url + path), f"{product.url}/status", status_events=EVENTS),
        **more,
    )


async def call(carrier: RehearsedCarrier, wanted: CallRequest, faults: Faults | None = None) -> Call:
    placed = carrier.place(wanted, faults)
    await carrier.quiet()
    return placed


def statuses(product: Product) -> list[str]:
    return [form["CallStatus"] for form in product.forms("/status")]


async def test_every_webhook_is_signed_and_says_whose_it_is(
    carrier: RehearsedCarrier, product: Product
) -> None:
    product.documents["/voice"] = product.documents["/voice"].replace(
        'action="/heard"', 'action="/heard" method="GET"'
    )
    placed = await call(carrier, request(product, "/voice?queue=billing&name=%C5%82"))
    validator = RequestValidator(TOKEN)
    for told in product.told:
        signature = told.headers["x-twilio-signature"]
        assert validator.validate(told.url, told.form, signature), told.path
    assert {each.method for each in product.told if each.path == "/heard"} == {"GET"}
    first = product.forms("/voice")[0]
    assert (first["AccountSid"], first["CallSid"], first["ApiVersion"]) == (SID, placed.sid, "2010-04-01")
    assert (first["From"], first["To"], first["Direction"]) == (FROM, TO, "outbound-api")


async def test_a_forged_webhook_has_a_signature_that_does_not_fit(
    carrier: RehearsedCarrier, product: Product
) -> None:
    await call(carrier, request(product), Faults(forged=True))
    validator = RequestValidator(TOKEN)
    assert not any(
        validator.validate(webhook.url, webhook.form, webhook.headers["x-twilio-signature"])
        for webhook in product.told
    )


async def test_status_callbacks_come_in_order_and_are_numbered(
    carrier: RehearsedCarrier, product: Product
) -> None:
    await call(carrier, request(product))
    forms = product.forms("/status")
    assert statuses(product) == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in forms} == {"call-progress-events"}
    assert int(forms[-1]["CallDuration"]) >= 1
    assert forms[-1]["SipResponseCode"] == "200"
    assert "CallDuration" not in forms[0]


async def test_only_the_events_that_were_asked_for_are_told(
    carrier: RehearsedCarrier, product: Product
) -> None:
    await call(carrier, request(product, status_events=frozenset({"completed"})))
    assert statuses(product) == ["completed"]


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        ("twice", ["initiated"] * 2 + ["ringing"] * 2 + ["in-progress"] * 2 + ["completed"] * 2),
        ("reversed", ["completed", "in-progress", "ringing", "initiated"]),
        ("lost", []),
    ],
)
async def test_callbacks_are_repeated_reversed_and_lost_as_told(
    carrier: RehearsedCarrier, product: Product, delivery: Any, expected: list[str]
) -> None:
    placed = await call(carrier, request(product), Faults(callbacks=delivery))
    assert statuses(product) == expected
    assert placed.status == "completed"


@pytest.mark.parametrize(("pickup", "code"), [("busy", "486"), ("no-answer", "480"), ("failed", "488")])
async def test_a_call_that_nobody_takes_ends_as_such(
    carrier: RehearsedCarrier, product: Product, pickup: Any, code: str
) -> None:
    placed = await call(carrier, request(product), Faults(pickup=pickup))
    assert (placed.status, placed.seconds, placed.answered_by) == (pickup, None, None)
    assert statuses(product) == ["initiated", "ringing", pickup]
    last = product.forms("/status")[-1]
    assert (last["CallDuration"], last["SipResponseCode"]) == ("0", code)
    assert product.forms("/voice") == []


@pytest.mark.parametrize(("pickup", "code"), [("declined", "603"), ("no-such-number", "404")])
async def test_why_a_call_failed_stands_in_its_code(
    carrier: RehearsedCarrier, product: Product, pickup: Any, code: str
) -> None:
    placed = await call(carrier, request(product), Faults(pickup=pickup))
    assert placed.status == "failed"
    assert product.forms("/status")[-1]["SipResponseCode"] == code


async def test_a_phone_rings_no_longer_than_was_asked(carrier: RehearsedCarrier, product: Product) -> None:
    def slow(_: str) -> Phone:
        clock = PacedClock(0.001)
        return Phone(ScriptedCaller((), clock, ring_seconds=100), clock)

    carrier.phones.put(TO, slow)
    assert (await call(carrier, request(product, ring_seconds=25))).status == "no-answer"


async def test_a_machine_is_told_beside_the_call_and_says_nothing(
    carrier: RehearsedCarrier, product: Product
) -> None:
    product.documents["/machine"] = "<Response/>"
    wanted = request(product, detection="async", detection_url=f"{product.url}/machine")
    placed = await call(carrier, wanted, Faults(pickup="machine"))
    told = product.forms("/machine")[0]
    assert (told["AnsweredBy"], told["MachineDetectionDuration"]) == ("machine_start", "4000")
    assert placed.answered_by == "machine_start"
    assert product.forms("/heard") == []


async def test_synchronous_detection_comes_with_the_first_document(
    carrier: RehearsedCarrier, product: Product
) -> None:
    await call(carrier, request(product, detection="sync"))
    assert product.forms("/voice")[0]["AnsweredBy"] == "human"
    assert "AnsweredBy" not in product.forms("/heard")[0]


async def test_a_silent_person_answers_nothing(carrier: RehearsedCarrier, product: Product) -> None:
    placed = await call(carrier, request(product), Faults(silent=True))
    assert (placed.status, product.forms("/heard")) == ("completed", [])


async def test_a_turn_delivered_twice_has_the_same_form_and_the_second_answer_counts(
    carrier: RehearsedCarrier, product: Product
) -> None:
    placed = await call(carrier, request(product), Faults(turns_twice=True))
    first, second = product.forms("/heard")
    assert first == second
    assert placed.transcript.said_by_line() == ["Score?", "Thanks."]


@pytest.mark.parametrize(("answer", "code"), [("500", 11200), ("a;b", 12300), ("<Response>", 12100)])
async def test_a_bad_answer_is_heard_as_the_carrier_s_apology(
    carrier: RehearsedCarrier, product: Product, answer: str, code: int
) -> None:
    product.documents["/heard"] = answer
    placed = await call(carrier, request(product))
    assert placed.transcript.said_by_line() == ["Score?", APOLOGY.text]
    assert [alert.code for alert in placed.alerts] == [code]
    assert (placed.ended_by, placed.status) == ("error", "completed")


async def test_nobody_listening_is_a_connection_failure(carrier: RehearsedCarrier, product: Product) -> None:
    wanted = replace(request(product), source=Request("http://127.0.0.1:1/voice"))
    assert [alert.code for alert in (await call(carrier, wanted)).alerts] == [11205]


async def test_an_answer_that_comes_too_late_is_none(carrier: RehearsedCarrier, product: Product) -> None:
    product.answers_after = 0.2
    placed = await call(carrier, request(product, "/voice#tt=100"))
    assert [alert.code for alert in placed.alerts] == [11200]


async def test_the_url_s_fragment_sets_the_retries_and_is_neither_sent_nor_signed(
    carrier: RehearsedCarrier, product: Product
) -> None:
    product.documents["/voice"] = "500"
    await call(carrier, request(product, "/voice#rc=2&rp=5xx"))
    attempts = [each for each in product.told if each.path == "/voice"]
    assert len(attempts) == 3
    assert len({each.headers["i-twilio-idempotency-token"] for each in attempts}) == 1
    assert all(
        RequestValidator(TOKEN).validate(attempt.url, attempt.form, attempt.headers["x-twilio-signature"])
        for attempt in attempts
    )


async def test_without_a_fragment_a_server_error_is_not_retried(
    carrier: RehearsedCarrier, product: Product
) -> None:
    product.documents["/voice"] = "500"
    await call(carrier, request(product))
    assert len(product.forms("/voice")) == 1


async def test_a_call_may_bring_its_document_along(carrier: RehearsedCarrier, product: Product) -> None:
    wanted = replace(request(product), source=Inline("<Response><Say>Hello.</Say></Response>"))
    assert (await call(carrier, wanted)).transcript.said_by_line() == ["Hello."]


async def test_a_call_ends_when_it_has_taken_as_long_as_it_may(
    carrier: RehearsedCarrier, product: Product
) -> None:
    def patient(_: str) -> Phone:
        clock = PacedClock(0.01)
        return Phone(ScriptedCaller((), clock, ring_seconds=0), clock)

    carrier.phones.put(TO, patient)
    product.documents["/voice"] = '<Response><Pause length="600"/></Response>'
    placed = await call(carrier, request(product, most_seconds=5))
    assert (placed.status, placed.ended_by) == ("completed", "line")


async def test_somebody_may_call_in(carrier: RehearsedCarrier, product: Product) -> None:
    clock = PacedClock(0)
    phone = Phone(ScriptedCaller(read_script("7"), clock), clock)
    placed = carrier.receive(CallRequest(FROM, TO, Request(f"{product.url}/voice")), phone)
    await carrier.quiet()
    form = product.forms("/voice")[0]
    assert (form["Direction"], form["From"], form["To"], form["CallSid"]) == ("inbound", TO, FROM, placed.sid)
    assert product.forms("/heard")[0]["Digits"] == "7"


async def test_somebody_may_write_in_and_is_answered(carrier: RehearsedCarrier, product: Product) -> None:
    product.documents["/messages"] = "<Response><Message>Thank you.</Message></Response>"
    replies = await carrier.write_in(TO, FROM, "9", f"{product.url}/messages")
    form = product.forms("/messages")[0]
    assert [reply.body for reply in replies] == ["Thank you."]
    assert (form["Body"], form["SmsStatus"], form["NumMedia"]) == ("9", "received", "0")


async def test_memory_is_bounded_and_calls_that_go_on_are_kept() -> None:
    carrier = RehearsedCarrier(
        SID, TOKEN, lambda _: Phone(ScriptedCaller((), PacedClock(0)), PacedClock(0)), keep=3
    )
    hello = Inline("<Response><Say>Hello.</Say></Response>")
    lasting = carrier.place(CallRequest(TO, FROM, Inline('<Response><Pause length="0"/></Response>')))
    for _ in range(10):
        carrier.place(CallRequest(TO, FROM, hello))
    assert len(carrier.calls) == 11
    await carrier.quiet()
    for _ in range(20):
        carrier.place(CallRequest(TO, FROM, hello))
        await carrier.quiet()
    assert carrier.calls.get(lasting.sid) is None
    assert len(carrier.calls) <= 11
    await carrier.close()
