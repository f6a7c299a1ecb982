"""What the client makes of a carrier that fails, over real sockets."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.carrier import Carrier
from app.carrier.client import LIMITS
from app.config import Settings
from app.errors import CarrierBusy, CarrierError, CarrierMisconfigured, CarrierOutcomeUnknown, CarrierRefused
from tests.carrier.peer import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    CALL_SID,
    FROM_NUMBER,
    RECORDING_SID,
    TO_NUMBER,
    Drip,
    Drop,
    Hang,
    Peer,
    Reply,
    as_json,
    call_json,
    refusal,
)

Make = Callable[..., Carrier]
NOBODY = "http://127.0.0.1:9"
SINCE = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


async def place(carrier: Carrier) -> Any:
    return await carrier.place_call(
        to=TO_NUMBER,
        voice_url="https://zeroten.example/twilio/voice",
        status_url="https://zeroten.example/twilio/status",
        ring_seconds=28,
        time_limit_seconds=300,
    )


async def send(carrier: Carrier) -> Any:
    return await carrier.send_message(
        to=TO_NUMBER,
        content="0-10?",
        status_url="https://zeroten.example/twilio/message",
        validity_seconds=3600,
    )


async def find(carrier: Carrier) -> Any:
    return await carrier.find_calls(TO_NUMBER, SINCE)


async def fetch(carrier: Carrier) -> Any:
    return await carrier.fetch_call(CALL_SID)


async def hang_up(carrier: Carrier) -> Any:
    return await carrier.hang_up(CALL_SID)


async def fetch_recording(carrier: Carrier) -> Any:
    return await carrier.fetch_recording(RECORDING_SID)


async def delete_recording(carrier: Carrier) -> Any:
    return await carrier.delete_recording(RECORDING_SID)


PLACINGS = [place, send]
REPEATABLE = [find, fetch, hang_up, fetch_recording, delete_recording]
UNSURE = [
    pytest.param(Hang(), id="time-out"),
    pytest.param(Drop(), id="dropped"),
    pytest.param(Drip(), id="dripping"),
    pytest.param(Reply(500), id="500"),
    pytest.param(refusal(503, 20500), id="503"),
    pytest.param(Reply(201, b"<html>"), id="not-json"),
    pytest.param(as_json(201, []), id="a-list"),
    pytest.param(as_json(201, {}), id="no-sid"),
]


@pytest.mark.parametrize("ask", PLACINGS)
@pytest.mark.parametrize("reply", UNSURE)
async def test_after_a_placing_was_sent_its_outcome_is_unknown_and_it_is_sent_once(
    carrier_at: Make, ask: Callable[[Carrier], Any], reply: Reply | Hang | Drop | Drip
) -> None:
    async with Peer(reply) as peer:
        with pytest.raises(CarrierOutcomeUnknown):
            await asyncio.wait_for(ask(carrier_at(peer.url, impatient=True)), timeout=5)
        assert [seen.method for seen in peer.seen] == ["POST"]


@pytest.mark.parametrize("ask", PLACINGS + REPEATABLE)
async def test_a_carrier_that_is_not_there_is_busy(carrier_at: Make, ask: Callable[[Carrier], Any]) -> None:
    with pytest.raises(CarrierBusy):
        await ask(carrier_at(NOBODY))


@pytest.mark.parametrize("ask", REPEATABLE)
@pytest.mark.parametrize("reply", [Hang(), Drop(), Reply(500), refusal(503, 20500)])
async def test_what_may_be_repeated_is_busy_when_it_fails(
    carrier_at: Make, ask: Callable[[Carrier], Any], reply: Reply | Hang | Drop
) -> None:
    async with Peer(reply) as peer:
        with pytest.raises(CarrierBusy):
            await ask(carrier_at(peer.url, impatient=True))
        assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (refusal(400, 21211), CarrierRefused, 21211),
        (refusal(400, 21610), CarrierRefused, 21610),
        (refusal(401, 20003), CarrierMisconfigured, 20003),
        (refusal(400, 21212), CarrierMisconfigured, 21212),
        (refusal(429, 20429), CarrierBusy, 20429),
        (refusal(400, 10004), CarrierBusy, 10004),
        (Reply(429), CarrierBusy, None),
        (Reply(403, b"<html>"), CarrierMisconfigured, None),
        (refusal(400, 88888), CarrierRefused, 88888),
        (
            as_json(400, {"type": "about:x", "title": TO_NUMBER, "status": 400, "code": 21211}),
            CarrierRefused,
            21211,
        ),
        (Reply(302, headers={"Location": "https://elsewhere.example/"}), CarrierMisconfigured, None),
    ],
)
@pytest.mark.parametrize("ask", PLACINGS)
async def test_a_refusal_says_what_follows(
    carrier_at: Make, ask: Callable[[Carrier], Any], reply: Reply, kind: type[CarrierError], code: int | None
) -> None:
    async with Peer(reply) as peer:
        with pytest.raises(CarrierError) as caught:
            await ask(carrier_at(peer.url))
        assert (type(caught.value), caught.value.carrier_code) == (kind, code)
        assert caught.value.http_status == reply.status
        assert len(peer.seen) == 1


async def test_with_every_connection_taken_nothing_is_sent_and_the_carrier_is_busy() -> None:
    patient = httpx.Timeout(connect=5.0, read=3.0, write=3.0, pool=1.0)
    async with Peer(Hang()) as peer:
        carrier = Carrier(
            ACCOUNT_SID, auth_token=AUTH_TOKEN, from_number=FROM_NUMBER, api_url=peer.url, timeout=patient
        )
        room = LIMITS.max_connections or 0
        placings = (place(carrier) for _ in range(room + 1))
        outcomes = Counter(type(each) for each in await asyncio.gather(*placings, return_exceptions=True))
        await carrier.aclose()
        assert outcomes == {CarrierOutcomeUnknown: room, CarrierBusy: 1}
        assert len(peer.seen) == room


@pytest.mark.parametrize("end", [Carrier.hang_up, Carrier.cancel])
@pytest.mark.parametrize("reply", [refusal(400, 21220), refusal(404, 20404)])
async def test_ending_a_call_that_has_ended_is_harmless(
    carrier_at: Make, end: Callable[[Carrier, str], Any], reply: Reply
) -> None:
    async with Peer(reply) as peer:
        await end(carrier_at(peer.url), CALL_SID)
        assert len(peer.seen) == 1


async def test_ending_a_call_with_wrong_credentials_is_told(carrier_at: Make) -> None:
    async with Peer(refusal(401, 20003)) as peer:
        with pytest.raises(CarrierMisconfigured):
            await carrier_at(peer.url).hang_up(CALL_SID)


async def test_a_call_or_recording_the_account_does_not_have_is_no_error(carrier_at: Make) -> None:
    async with Peer(refusal(404, 20404)) as peer:
        carrier = carrier_at(peer.url)
        assert await carrier.fetch_call(CALL_SID) is None
        await carrier.delete_recording(RECORDING_SID)


@pytest.mark.parametrize("ask", PLACINGS + REPEATABLE)
async def test_without_an_account_nothing_is_tried_and_the_setting_is_named(
    ask: Callable[[Carrier], Any],
) -> None:
    carrier = Carrier.from_settings(Settings(_env_file=None, twilio_from=FROM_NUMBER))
    with pytest.raises(CarrierMisconfigured, match="ZEROTEN_TWILIO_ACCOUNT_SID"):
        await ask(carrier)
    await carrier.aclose()


@pytest.mark.parametrize("ask", [*PLACINGS, find])
async def test_without_a_number_of_ours_nothing_is_tried(ask: Callable[[Carrier], Any]) -> None:
    carrier = Carrier(ACCOUNT_SID, auth_token=AUTH_TOKEN, from_number="", api_url=NOBODY)
    with pytest.raises(CarrierMisconfigured, match="ZEROTEN_TWILIO_FROM"):
        await ask(carrier)
    await carrier.aclose()


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "http://127.0.0.1:port", "127.0.0.1:9"])
async def test_an_address_that_is_none_is_a_wrong_setting(carrier_at: Make, address: str) -> None:
    with pytest.raises(CarrierMisconfigured):
        await place(carrier_at(address))


@pytest.mark.parametrize("sid", ["", CALL_SID + "/../../Messages", RECORDING_SID, CALL_SID + "\n"])
async def test_what_is_no_sid_never_becomes_part_of_a_path(carrier_at: Make, sid: str) -> None:
    async with Peer(as_json(200, call_json())) as peer:
        carrier = carrier_at(peer.url)
        for ask in (carrier.fetch_call, carrier.hang_up, carrier.cancel):
            with pytest.raises(CarrierRefused):
                await ask(sid)
        assert peer.seen == []
