"""Twilio's own library talks to the carrier and understands what it answers."""

import wave
from datetime import UTC, datetime, timedelta
from io import BytesIO

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance

from app.audio import TELEPHONE_RATE
from app.rehearsal.twilio import RehearsedCarrier
from app.rehearsal.twilio.control import scripted_phone
from app.rehearsal.twilio.faults import Faults
from tests.rehearsal.twilio.conftest import SID, TOKEN
from tests.rehearsal.twilio.product import Product

TO, FROM = "+48221234567", "+48221111111"


async def place(twilio: Client, product: Product, **more: object) -> CallInstance:
    arguments = {"to": TO, "from_": FROM, "url": f"{product.url}/voice", **more}
    return await twilio.calls.create_async(**arguments)


async def test_a_placed_call_is_queued_and_then_completed(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    call = await place(twilio, product)
    assert (call.status, call.to, call.direction, call.start_time) == ("queued", TO, "outbound-api", None)
    await carrier.quiet()
    call = await twilio.calls(call.sid).fetch_async()
    assert call.status == "completed"
    assert int(str(call.duration)) >= 1
    assert isinstance(call.start_time, datetime)
    assert isinstance(call.end_time, datetime)
    assert product.forms("/heard")[0]["Digits"] == "9"


async def test_calls_are_found_by_number_status_and_start(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    first = await place(twilio, product)
    await place(twilio, product, to="+48220000000")
    await carrier.quiet()
    now = datetime.now(UTC)

    async def found(**wanted: object) -> list[str | None]:
        return [each.sid for each in await twilio.calls.list_async(**wanted)]

    assert await found(to=TO) == [first.sid]
    assert await found(to=TO, start_time_after=now - timedelta(minutes=1)) == [first.sid]
    assert await found(to=TO, start_time_before=now - timedelta(minutes=1)) == []
    assert await found(start_time=now.date()) != []
    assert len(await found(status="completed", from_=FROM)) == 2
    assert await found(status="busy") == []


async def test_lists_come_in_pages_that_the_library_follows(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    placed = [(await place(twilio, product)).sid for _ in range(5)]
    await carrier.quiet()
    assert [each.sid for each in await twilio.calls.list_async(page_size=2)] == placed[::-1]


async def test_a_call_is_ended_by_an_update(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    carrier.phones.put(TO, scripted_phone("/hangup", 1.0))
    product.documents["/voice"] = '<Response><Pause length="60"/></Response>'
    call = await place(twilio, product)
    await until_status(twilio, call, "ringing")
    ended = await twilio.calls(call.sid).update_async(status="canceled")
    await carrier.quiet()
    assert (await ended.fetch_async()).status == "canceled"
    assert product.forms("/voice") == []


async def test_a_call_in_progress_is_completed_but_not_canceled(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    carrier.phones.put(TO, scripted_phone("", 0.01))
    product.documents["/voice"] = '<Response><Pause length="6000"/></Response>'
    call = await place(twilio, product)
    await until_status(twilio, call, "in-progress")
    await twilio.calls(call.sid).update_async(status="canceled")
    assert (await twilio.calls(call.sid).fetch_async()).status == "in-progress"
    await twilio.calls(call.sid).update_async(status="completed")
    await carrier.quiet()
    assert (await twilio.calls(call.sid).fetch_async()).status == "completed"


@pytest.mark.parametrize("update", ["twiml", "url"])
async def test_a_call_in_progress_goes_on_with_another_document(
    twilio: Client, carrier: RehearsedCarrier, product: Product, update: str
) -> None:
    carrier.phones.put(TO, scripted_phone("", 0.01))
    product.documents["/voice"] = '<Response><Pause length="6000"/></Response>'
    call = await place(twilio, product)
    await until_status(twilio, call, "in-progress")
    given = {"twiml": "<Response><Say>Thanks.</Say></Response>", "url": f"{product.url}/heard"}
    await twilio.calls(call.sid).update_async(**{update: given[update]})
    await carrier.quiet()
    assert carrier.calls.get(str(call.sid)).transcript.said_by_line() == ["Thanks."]  # type: ignore[union-attr]


async def test_an_ended_call_cannot_be_updated(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    call = await place(twilio, product)
    await carrier.quiet()
    with pytest.raises(TwilioRestException) as refused:
        await twilio.calls(call.sid).update_async(status="completed")
    assert (refused.value.status, refused.value.code) == (400, 21220)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "12"}, 21211),
        ({"From": ""}, 21213),
        ({"From": "me"}, 21212),
        ({"Url": ""}, 21205),
        ({"Url": "zeroten.test/voice"}, 21205),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"Timeout": "soon"}, 20001),
        ({"Method": "PUT"}, 20001),
        ({"MachineDetection": "Perhaps"}, 21234),
    ],
)
async def test_a_bad_call_is_refused_with_the_carrier_s_code(
    http: httpx.AsyncClient, carrier: RehearsedCarrier, changed: dict[str, str], code: int
) -> None:
    form = {"To": TO, "From": FROM, "Url": "http://127.0.0.1:1/voice", **changed}
    answer = await http.post(f"/2010-04-01/Accounts/{SID}/Calls.json", data=form)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["code"], body["status"]) == (code, 400)
    assert body["more_info"].endswith(str(code))
    assert len(carrier.calls) == 0


async def test_the_account_s_credentials_are_needed(carrier: RehearsedCarrier) -> None:
    path = f"{carrier.base_url}/2010-04-01/Accounts/{SID}/Calls.json"
    async with httpx.AsyncClient() as client:
        answers = [await client.get(path), await client.get(path, auth=(SID, "wrong"))]
        answers.append(await client.get(path.replace(SID, "AC2"), auth=(SID, TOKEN)))
        answers.append(await client.get(f"{carrier.base_url}/rehearsal/calls"))
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(401, 20003)] * 4


async def test_what_does_not_exist_is_not_found(twilio: Client, http: httpx.AsyncClient) -> None:
    with pytest.raises(TwilioRestException) as missing:
        await twilio.calls("CA" + "0" * 32).fetch_async()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    assert (await http.get(f"/2010-04-01/Accounts/{SID}/Conferences.json")).json()["code"] == 20404


async def test_a_recording_is_listed_fetched_and_deleted(
    twilio: Client, http: httpx.AsyncClient, carrier: RehearsedCarrier, product: Product
) -> None:
    carrier.phones.put(TO, scripted_phone("it took them much too long to answer", 0.0))
    product.documents["/voice"] = '<Response><Record action="/heard"/></Response>'
    call = await place(twilio, product)
    await carrier.quiet()
    recording = (await twilio.recordings.list_async(call_sid=str(call.sid)))[0]
    assert (recording.source, recording.status, recording.duration) == ("RecordVerb", "completed", "2")
    assert [each.sid for each in await twilio.calls(call.sid).recordings.list_async()] == [recording.sid]
    url = product.forms("/heard")[0]["RecordingUrl"]
    for address in (url, f"{url}.wav"):
        with wave.open(BytesIO((await http.get(address)).content)) as audio:
            assert (audio.getframerate(), audio.getnframes()) == (TELEPHONE_RATE, 16_000)
    assert await twilio.recordings(str(recording.sid)).delete_async()
    assert (await http.get(f"{url}.wav")).status_code == 404


async def test_a_message_is_sent_and_its_way_told(
    twilio: Client, carrier: RehearsedCarrier, product: Product
) -> None:
    message = await twilio.messages.create_async(
        to=TO, from_=FROM, body="0 to 10?", status_callback=f"{product.url}/status"
    )
    await carrier.quiet()
    assert [each["MessageStatus"] for each in product.forms("/status")] == ["sent", "delivered"]
    assert (await twilio.messages(str(message.sid)).fetch_async()).status == "delivered"
    assert [each.body for each in await twilio.messages.list_async(to=TO)] == ["0 to 10?"]


async def test_a_bad_message_is_refused_with_the_carrier_s_code(twilio: Client) -> None:
    for arguments, code in (
        ({"to": "12", "from_": FROM, "body": "?"}, 21211),
        ({"to": TO, "body": "?"}, 21603),
        ({"to": TO, "from_": FROM}, 21602),
        ({"to": TO, "from_": FROM, "body": "?" * 1601}, 21617),
    ):
        with pytest.raises(TwilioRestException) as refused:
            await twilio.messages.create_async(**arguments)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("faults", "status", "code", "placed"),
    [
        (Faults(rest="too_many_requests"), 429, 20429, 0),
        (Faults(rest="refuses", refusal=21214), 400, 21214, 0),
        (Faults(rest="breaks"), 500, 20500, 0),
        (Faults(rest="breaks_afterwards"), 500, 20500, 1),
    ],
)
async def test_the_interface_fails_as_it_is_told_to(
    twilio: Client,
    carrier: RehearsedCarrier,
    product: Product,
    faults: Faults,
    status: int,
    code: int,
    placed: int,
) -> None:
    carrier.fault_plan.tell(faults, to=TO, times=1)
    with pytest.raises(TwilioRestException) as failed:
        await place(twilio, product)
    assert (failed.value.status, failed.value.code) == (status, code)
    assert len(carrier.calls) == placed
    await place(twilio, product)
    await carrier.quiet()
    assert len(carrier.calls) == placed + 1


async def test_an_answer_may_never_come_although_the_call_was_placed(
    http: httpx.AsyncClient, carrier: RehearsedCarrier, product: Product
) -> None:
    carrier.fault_plan.tell(Faults(rest="never_answers"))
    form = {"To": TO, "From": FROM, "Url": f"{product.url}/voice"}
    with pytest.raises(httpx.ReadTimeout):
        await http.post(f"/2010-04-01/Accounts/{SID}/Calls.json", data=form, timeout=0.2)
    await carrier.quiet()
    assert [call.status for call in carrier.calls] == ["completed"]


async def until_status(twilio: Client, call: CallInstance, status: str) -> None:
    """Wait for a call to get there."""
    while (await twilio.calls(str(call.sid)).fetch_async()).status != status:
        pass
