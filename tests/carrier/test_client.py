"""What the client sends, held against Twilio's own description, and what it makes of the answers."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from app.carrier import CallRecord, Carrier, Template, call_status
from app.carrier.records import PlacedCall, PlacedMessage
from app.errors import CarrierOutcomeUnknown, CarrierRefused
from tests.carrier.description import Description, UnknownParameter
from tests.carrier.peer import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    CALL_SID,
    FROM_NUMBER,
    MESSAGE_SID,
    RECORDING_SID,
    TO_NUMBER,
    Peer,
    Reply,
    as_json,
    call_json,
    refusal,
)

MakeCarrier = Callable[..., Carrier]
ACCOUNT_PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
SINCE = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
MESSAGE = {"sid": MESSAGE_SID, "status": "queued", "to": TO_NUMBER, "from": FROM_NUMBER, "body": "0-10?"}


def calls_json(*calls: Mapping[str, Any], next_page: str | None = None) -> dict[str, Any]:
    return {"calls": list(calls), "page": 0, "page_size": 50, "next_page_uri": next_page}


def messages_json(*messages: Mapping[str, Any]) -> dict[str, Any]:
    return {"messages": list(messages), "page": 0, "page_size": 50, "next_page_uri": None}


def message_json(**changes: Any) -> dict[str, Any]:
    """A message as Twilio returns it."""
    return {
        **MESSAGE,
        "account_sid": ACCOUNT_SID,
        "date_created": "Sat, 21 Nov 2026 10:15:01 +0000",
        "direction": "outbound-api",
        "error_code": None,
        **changes,
    }


def call_with_detection(carrier: Carrier) -> Awaitable[PlacedCall]:
    return carrier.place_call(
        to=TO_NUMBER,
        voice_url="https://zeroten.example/twilio/voice#rc=3&rp=5xx,ct,rt",
        status_url="https://zeroten.example/twilio/status",
        ring_seconds=28,
        time_limit_seconds=300,
        amd_url="https://zeroten.example/twilio/machine",
        fallback_url="https://zeroten.example/twilio/sorry",
    )


def call_without_detection(carrier: Carrier) -> Awaitable[PlacedCall]:
    return carrier.place_call(
        to=TO_NUMBER,
        voice_url="https://zeroten.example/twilio/voice",
        status_url="https://zeroten.example/twilio/status",
        ring_seconds=28,
        time_limit_seconds=300,
    )


def text(carrier: Carrier) -> Awaitable[PlacedMessage]:
    return carrier.send_message(
        to=TO_NUMBER, content="0-10?", status_url="https://zeroten.example/m", validity_seconds=3600
    )


def template(carrier: Carrier) -> Awaitable[PlacedMessage]:
    content = Template("HX" + "f5" * 16, {"1": "Ewa"})
    return carrier.send_message(
        to="whatsapp:" + TO_NUMBER,
        content=content,
        status_url="https://zeroten.example/m",
        validity_seconds=36000,
        sender="whatsapp:" + FROM_NUMBER,
    )


REQUESTS: list[tuple[Callable[[Carrier], Awaitable[Any]], httpx.Response]] = [
    (call_with_detection, httpx.Response(201, json=call_json())),
    (call_without_detection, httpx.Response(201, json=call_json())),
    (lambda carrier: carrier.find_calls(TO_NUMBER, SINCE), httpx.Response(200, json=calls_json(call_json()))),
    (lambda carrier: carrier.fetch_call(CALL_SID), httpx.Response(200, json=call_json())),
    (lambda carrier: carrier.hang_up(CALL_SID), httpx.Response(200, json=call_json())),
    (lambda carrier: carrier.cancel(CALL_SID), httpx.Response(200, json=call_json())),
    (text, httpx.Response(201, json=MESSAGE)),
    (template, httpx.Response(201, json=MESSAGE)),
    (
        lambda carrier: carrier.find_messages(TO_NUMBER, SINCE),
        httpx.Response(200, json=messages_json(message_json())),
    ),
    (lambda carrier: carrier.fetch_message(MESSAGE_SID), httpx.Response(200, json=message_json())),
    (lambda carrier: carrier.delete_recording(RECORDING_SID), httpx.Response(204)),
]


@pytest.mark.parametrize(("ask", "answer"), REQUESTS)
@pytest.mark.parametrize(
    "api_url", ["https://api.twilio.com", "http://127.0.0.1:4010", "http://127.0.0.1:4010/twilio"]
)
async def test_every_request_is_one_that_twilio_describes(
    description: Description,
    carrier_at: MakeCarrier,
    ask: Callable[[Carrier], Awaitable[Any]],
    answer: httpx.Response,
    api_url: str,
) -> None:
    sent: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer

    await ask(carrier_at(api_url, httpx.MockTransport(record)))
    [request] = sent
    assert str(request.url).startswith(api_url + ACCOUNT_PATH)
    description.validate_request(request)
    if answer.content:
        description.validate_response(request, answer)


def test_the_description_refuses_what_twilio_would_refuse_or_ignore(description: Description) -> None:
    credentials = {"Authorization": "Basic " + b64encode(b"a:b").decode()}
    good: dict[str, Any] = {
        "To": TO_NUMBER,
        "From": FROM_NUMBER,
        "StatusCallbackEvent": ["initiated", "ringing"],
    }

    def calls(form: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Request:
        return httpx.Request(
            "POST", f"https://api.twilio.com{ACCOUNT_PATH}/Calls.json", data=dict(form), headers=headers
        )

    description.validate_request(calls(good, credentials))
    refused: list[tuple[dict[str, Any], dict[str, str]]] = [
        (good, {}),
        (good | {"Timeout": "soon"}, credentials),
        (good | {"StatusCallbackMethod": "PUT"}, credentials),
        ({"From": FROM_NUMBER}, credentials),
    ]
    for form, headers in refused:
        with pytest.raises(OpenAPIError):
            description.validate_request(calls(form, headers))
    with pytest.raises(UnknownParameter, match="MachineDetektion"):
        description.validate_request(calls(good | {"MachineDetektion": "Enable"}, credentials))
    with pytest.raises(OpenAPIError, match="teleporting"):
        description.validate_response(
            calls(good, credentials), httpx.Response(201, json=call_json(status="teleporting"))
        )


async def test_a_call_is_placed_with_its_callbacks_and_asynchronous_detection(
    carrier_at: MakeCarrier,
) -> None:
    async with Peer(as_json(201, call_json())) as peer:
        placed = await call_with_detection(carrier_at(peer.url))
        [seen] = peer.seen
    assert placed == PlacedCall(CALL_SID, "queued")
    assert seen.target == f"{ACCOUNT_PATH}/Calls.json"
    assert (
        seen.headers["authorization"] == "Basic " + b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    )
    assert seen.form == {
        "To": [TO_NUMBER],
        "From": [FROM_NUMBER],
        "Url": ["https://zeroten.example/twilio/voice#rc=3&rp=5xx,ct,rt"],
        "FallbackUrl": ["https://zeroten.example/twilio/sorry"],
        "Timeout": ["28"],
        "TimeLimit": ["300"],
        "StatusCallback": ["https://zeroten.example/twilio/status"],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "MachineDetection": ["Enable"],
        "AsyncAmd": ["true"],
        "AsyncAmdStatusCallback": ["https://zeroten.example/twilio/machine"],
    }


async def test_without_a_detection_address_no_machine_is_looked_for(carrier_at: MakeCarrier) -> None:
    async with Peer(as_json(201, call_json())) as peer:
        await call_without_detection(carrier_at(peer.url))
        assert (
            not {"MachineDetection", "AsyncAmd", "AsyncAmdStatusCallback", "FallbackUrl"}
            & peer.seen[0].form.keys()
        )


async def test_a_placed_call_is_kept_even_in_a_status_we_do_not_know(carrier_at: MakeCarrier) -> None:
    async with Peer(as_json(201, call_json(status="teleporting"))) as peer:
        assert await call_without_detection(carrier_at(peer.url)) == PlacedCall(CALL_SID, "queued")


async def test_the_edge_and_account_of_the_environment_change_nothing(
    carrier_at: MakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TWILIO_EDGE": "sydney", "TWILIO_REGION": "au1", "TWILIO_ACCOUNT_SID": "AC0"}.items():
        monkeypatch.setenv(name, value)
    async with Peer(as_json(200, call_json())) as peer:
        await carrier_at(peer.url).fetch_call(CALL_SID)
        assert peer.seen[0].target == f"{ACCOUNT_PATH}/Calls/{CALL_SID}.json"


async def test_a_finished_call_is_read_whole(carrier_at: MakeCarrier) -> None:
    finished = call_json(
        status="completed",
        answered_by="human",
        start_time="Sat, 21 Nov 2026 10:15:03 +0000",
        end_time="Sat, 21 Nov 2026 10:15:45 +0000",
        duration="42",
    )
    async with Peer(as_json(200, finished)) as peer:
        assert await carrier_at(peer.url).fetch_call(CALL_SID) == CallRecord(
            sid=CALL_SID,
            to=TO_NUMBER,
            from_=FROM_NUMBER,
            status="completed",
            answered_by="human",
            created_at=datetime(2026, 11, 21, 10, 15, 1, tzinfo=UTC),
            started_at=datetime(2026, 11, 21, 10, 15, 3, tzinfo=UTC),
            ended_at=datetime(2026, 11, 21, 10, 15, 45, tzinfo=UTC),
            duration_seconds=42,
        )


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress", "completed", "busy", "no-answer"])
async def test_a_call_of_unknown_outcome_is_found_in_any_status_over_several_pages(
    carrier_at: MakeCarrier, status: str
) -> None:
    other, earlier, callers = ("CA" + digit * 32 for digit in "456")
    page_2 = f"{ACCOUNT_PATH}/Calls.json?To=%2B48221234567&Page=1&PageToken=PA{CALL_SID}"
    first = calls_json(
        call_json(sid=other, to="+48600000000"),
        call_json(sid=earlier, date_created="Sat, 21 Nov 2026 10:10:00 +0000", status="busy"),
        next_page=page_2,
    )
    second = calls_json(
        call_json(status=status), call_json(sid=callers, **{"from": TO_NUMBER, "to": FROM_NUMBER})
    )
    async with Peer(as_json(200, first), as_json(200, second)) as peer:
        found = await carrier_at(peer.url).find_calls(TO_NUMBER, SINCE)
        assert [(each.sid, each.status) for each in found] == [(CALL_SID, call_status(status))]
        asked = parse_qs(peer.seen[0].target.partition("?")[2])
        assert asked == {"To": [TO_NUMBER], "From": [FROM_NUMBER], "PageSize": ["50"]}
        assert peer.seen[1].target == page_2


async def test_the_look_up_forgives_a_carriers_clock_that_is_a_little_slow(carrier_at: MakeCarrier) -> None:
    async with Peer(as_json(200, calls_json(call_json()))) as peer:
        carrier = carrier_at(peer.url)
        assert len(await carrier.find_calls(TO_NUMBER, SINCE + timedelta(seconds=20))) == 1
        assert await carrier.find_calls(TO_NUMBER, SINCE + timedelta(seconds=120)) == []


async def test_the_look_up_reads_a_bounded_number_of_pages(carrier_at: MakeCarrier) -> None:
    endless = calls_json(*[call_json()] * 50, next_page=f"{ACCOUNT_PATH}/Calls.json?Page=1")
    async with Peer(as_json(200, endless)) as peer:
        await carrier_at(peer.url).find_calls(TO_NUMBER, SINCE)
        assert len(peer.seen) == 4


async def test_hanging_up_completes_and_cancelling_cancels(carrier_at: MakeCarrier) -> None:
    async with Peer(as_json(200, call_json())) as peer:
        carrier = carrier_at(peer.url)
        await carrier.hang_up(CALL_SID)
        await carrier.cancel(CALL_SID)
        assert [seen.form for seen in peer.seen] == [{"Status": ["completed"]}, {"Status": ["canceled"]}]


async def test_a_template_carries_its_variables_and_its_own_sender(carrier_at: MakeCarrier) -> None:
    async with Peer(as_json(201, MESSAGE)) as peer:
        assert await template(carrier_at(peer.url)) == PlacedMessage(MESSAGE_SID, "queued")
        form = peer.seen[0].form
    assert form["From"] == ["whatsapp:" + FROM_NUMBER]
    assert form["ContentVariables"] == ['{"1": "Ewa"}']
    assert "Body" not in form


async def test_a_text_is_sent_from_our_number_and_given_up_after_its_time(carrier_at: MakeCarrier) -> None:
    async with Peer(as_json(201, MESSAGE)) as peer:
        await text(carrier_at(peer.url))
        assert peer.seen[0].form == {
            "To": [TO_NUMBER],
            "From": [FROM_NUMBER],
            "Body": ["0-10?"],
            "StatusCallback": ["https://zeroten.example/m"],
            "ValidityPeriod": ["3600"],
        }


async def test_deleting_a_recording_deletes_it_by_sid_or_url(carrier_at: MakeCarrier) -> None:
    async with Peer(Reply(204)) as peer:
        carrier = carrier_at(peer.url)
        await carrier.delete_recording(RECORDING_SID)
        await carrier.delete_recording(f"https://api.twilio.com{ACCOUNT_PATH}/Recordings/{RECORDING_SID}")
        expected = ("DELETE", f"{ACCOUNT_PATH}/Recordings/{RECORDING_SID}.json")
        assert [(seen.method, seen.target) for seen in peer.seen] == [expected, expected]


async def test_messages_are_found_by_address_and_time_and_replies_are_left_out(
    carrier_at: MakeCarrier,
) -> None:
    found = messages_json(
        message_json(sid="SM" + "1" * 32, date_created="Sat, 21 Nov 2026 10:13:00 +0000"),
        message_json(sid="SM" + "2" * 32),
        message_json(sid="SM" + "3" * 32, direction="outbound-reply"),
        message_json(sid="SM" + "4" * 32, to="+48221234568"),
        message_json(sid="SM" + "5" * 32, date_created="Sat, 21 Nov 2026 10:16:00 +0000", error_code=30003),
    )
    async with Peer(as_json(200, found)) as peer:
        records = await carrier_at(peer.url).find_messages(TO_NUMBER, SINCE)
    assert [(each.sid[-1], each.error_code) for each in records] == [("5", 30003), ("2", None)]
    assert TO_NUMBER not in repr(records)


async def test_a_message_the_account_does_not_have_is_none(carrier_at: MakeCarrier) -> None:
    async with Peer(refusal(404, 20404)) as peer:
        assert await carrier_at(peer.url).fetch_message(MESSAGE_SID) is None


async def test_a_message_in_a_conversation_is_one_that_twilio_describes(
    conversations_description: Description, carrier_at: MakeCarrier
) -> None:
    sent: list[httpx.Request] = []
    answer = httpx.Response(201, json={"sid": "IM" + "1" * 32, "author": "zeroten", "body": "0-10?"})

    def record(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer

    carrier = carrier_at("https://api.twilio.com", httpx.MockTransport(record))
    assert await carrier.write_in_conversation("CH" + "2" * 32, "zeroten", "0-10?") == "IM" + "1" * 32
    [request] = sent
    assert str(request.url) == f"https://conversations.twilio.com/v1/Conversations/CH{'2' * 32}/Messages"
    assert parse_qs(request.content.decode()) == {"Author": ["zeroten"], "Body": ["0-10?"]}
    assert "x-twilio-webhook-enabled" not in request.headers
    conversations_description.validate_request(request)
    conversations_description.validate_response(request, answer)


@pytest.mark.parametrize("sid", ["", "CH1/../2", "MG" + "2" * 32])
async def test_a_conversation_that_is_none_is_refused_before_anything_is_sent(
    carrier_at: MakeCarrier, sid: str
) -> None:
    async with Peer(as_json(201, {})) as peer:
        with pytest.raises(CarrierRefused):
            await carrier_at(peer.url).write_in_conversation(sid, "zeroten", "0-10?")
        assert peer.seen == []


async def test_a_message_whose_writing_broke_is_unknown_and_not_written_again(
    carrier_at: MakeCarrier,
) -> None:
    async with Peer(refusal(500, 20500)) as peer:
        with pytest.raises(CarrierOutcomeUnknown):
            await carrier_at(peer.url).write_in_conversation("CH" + "2" * 32, "zeroten", "0-10?")
        assert len(peer.seen) == 1
