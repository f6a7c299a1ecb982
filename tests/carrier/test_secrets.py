"""Numbers, tokens and bodies reach neither the log nor an error, whatever the carrier answers."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from app.carrier import Carrier
from app.errors import CarrierError
from tests.carrier.peer import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    CALL_SID,
    FROM_NUMBER,
    RECORDING_SID,
    TO_NUMBER,
    Drop,
    Hang,
    Peer,
    Reply,
    as_json,
    call_json,
    refusal,
)

COMMENT = "the billing took ages"
SECRETS = [
    TO_NUMBER,
    TO_NUMBER.lstrip("+"),
    quote(TO_NUMBER, safe=""),
    FROM_NUMBER.lstrip("+"),
    AUTH_TOKEN,
    b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode(),
    COMMENT,
]


async def everything(carrier: Carrier) -> list[CarrierError]:
    """Every method once, and the errors they raised."""
    place = carrier.place_call(
        to=TO_NUMBER,
        voice_url="https://a.example",
        status_url="https://a.example",
        ring_seconds=9,
        time_limit_seconds=9,
    )
    send = carrier.send_message(
        to=TO_NUMBER, content=COMMENT, status_url="https://a.example", validity_seconds=9
    )
    errors = []
    for ask in [
        place,
        send,
        carrier.find_calls(TO_NUMBER, datetime(2026, 11, 21, tzinfo=UTC)),
        carrier.fetch_call(CALL_SID),
        carrier.hang_up(CALL_SID),
        carrier.cancel(CALL_SID),
        carrier.fetch_recording(RECORDING_SID),
        carrier.delete_recording(RECORDING_SID),
    ]:
        try:
            await ask
        except CarrierError as error:
            errors.append(error)
    return errors


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, 21211),
        refusal(401, 20003),
        refusal(500, 20500),
        as_json(400, {"type": "x", "title": TO_NUMBER, "detail": COMMENT, "status": 400, "code": 21211}),
        as_json(201, {"calls": [call_json(date_created=TO_NUMBER)]}),
        as_json(201, call_json(duration=TO_NUMBER)),
        Reply(201, f"<p>{TO_NUMBER} {COMMENT}".encode()),
        Reply(302, headers={"Location": f"http://127.0.0.1:9/?To={quote(TO_NUMBER)}"}),
        Hang(),
        Drop(),
    ],
)
async def test_no_error_or_log_line_tells_a_secret(
    carrier_at: Callable[..., Carrier], caplog: pytest.LogCaptureFixture, reply: Reply | Hang | Drop
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Peer(reply) as peer:
        errors = await everything(carrier_at(peer.url, impatient=isinstance(reply, Hang)))
    told = [caplog.text, *("".join(traceback.format_exception(error)) + repr(error) for error in errors)]
    assert errors
    assert "HTTP Request" in caplog.text or isinstance(reply, Hang | Drop)
    for secret in SECRETS:
        assert not [text for text in told if secret in text], secret


async def test_an_error_holds_no_trace_of_the_request(carrier_at: Callable[..., Carrier]) -> None:
    async with Peer(refusal(400, 21211)) as peer:
        for error in await everything(carrier_at(peer.url)):
            assert error.__cause__ is None
            assert error.__context__ is None


async def test_a_call_record_does_not_show_its_numbers(carrier_at: Callable[..., Carrier]) -> None:
    async with Peer(as_json(200, call_json())) as peer:
        record = await carrier_at(peer.url).fetch_call(CALL_SID)
    assert TO_NUMBER not in repr(record)
    assert FROM_NUMBER not in repr(record)
