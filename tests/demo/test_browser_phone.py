"""A phone in a browser, from both ends of the line."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from app.demo import browser_phone
from app.demo.browser_phone import NUMBERS, BrowserPhone, BrowserPhones
from app.rehearsal.people import Caller, HeardPrompt, HungUp, ListeningFor, Nothing, Pressed, Spoken
from tests.demo.demo_server import FROM, Line, report_row, serving

QUESTION = HeardPrompt("From 0 to 10?", "en-US")
SCORE = ListeningFor(
    keys=True, speech=True, max_digits=2, finish_on_key="#", timeout_seconds=5, language="en-US"
)


class Ends:
    """Both ends of one line: what the browser was sent, and the call that rings it."""

    def __init__(self, phones: BrowserPhones) -> None:
        self.phones = phones
        self.sent: list[Mapping[str, Any]] = []
        self.broken = False
        self._arriving: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._registered = phones.register(self._take)
        self.phone: BrowserPhone = self._registered.__enter__()

    async def _take(self, message: Mapping[str, Any]) -> None:
        if self.broken:
            raise ConnectionError("the browser has gone")
        self.sent.append(json.loads(json.dumps(message)))
        self._arriving.put_nowait(self.sent[-1])

    def close(self) -> None:
        self._registered.__exit__(None, None, None)

    def do(self, kind: str, **values: object) -> None:
        """What the browser does."""
        self.phone.receive(json.dumps({"type": kind, **values}))

    def press(self, keys: str) -> None:
        for key in keys:
            self.do("keys", keys=key)

    def caller(self) -> Caller:
        caller = self.phones.caller_for(self.phone.number)
        assert caller is not None
        return caller

    async def until_sent(self, kind: str) -> Mapping[str, Any]:
        async with asyncio.timeout(2):
            while (message := await self._arriving.get())["type"] != kind:
                pass
        return message

    async def answered(self) -> Caller:
        """A call that has been accepted."""
        caller = self.caller()
        ringing = asyncio.create_task(caller.ring(FROM, self.phone.number))
        await self.until_sent("ring")
        self.do("accept")
        assert await ringing == "human"
        return caller


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    both = Ends(BrowserPhones(ring_seconds=2))
    yield both
    both.close()


async def test_the_phone_rings_with_the_number_that_calls(ends: Ends) -> None:
    await ends.answered()
    assert ends.sent[0] == {"type": "ring", "from": FROM, "to": ends.phone.number, "seconds": 2}


async def test_declining_is_busy_and_frees_the_phone(ends: Ends) -> None:
    ringing = asyncio.create_task(ends.caller().ring(FROM, ends.phone.number))
    await ends.until_sent("ring")
    ends.do("decline")
    assert await ringing == "busy"
    assert ends.sent[-1] == {"type": "ended"}
    await ends.answered()


async def test_a_phone_that_nobody_picks_up_does_not_answer() -> None:
    impatient = Ends(BrowserPhones(ring_seconds=0.02))
    assert await impatient.caller().ring(FROM, impatient.phone.number) == "no-answer"
    assert impatient.sent[-1] == {"type": "ended"}
    impatient.close()


async def test_a_call_that_is_cancelled_while_it_rings_stops_ringing(ends: Ends) -> None:
    ringing = asyncio.create_task(ends.caller().ring(FROM, ends.phone.number))
    await ends.until_sent("ring")
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ringing
    assert ends.sent[-1] == {"type": "ended"}


async def test_a_browser_that_has_gone_does_not_answer(ends: Ends) -> None:
    gone = Ends(ends.phones)
    gone.close()
    assert await gone.caller().ring(FROM, gone.phone.number) == "no-answer"


async def test_a_phone_in_a_call_is_busy_for_the_next_one(ends: Ends) -> None:
    first = await ends.answered()
    assert await ends.caller().ring(FROM, ends.phone.number) == "busy"
    assert ends.sent[-1]["type"] == "ring", "the first call goes on undisturbed"
    await first.ended()
    await ends.answered()


async def test_only_browser_numbers_ring_in_a_browser(ends: Ends) -> None:
    assert ends.phones.caller_for("+4722334455") is None
    assert ends.phones.caller_for(ends.phone.number) is not None


async def test_every_browser_has_a_number_of_its_own(ends: Ends) -> None:
    others = [Ends(ends.phones) for _ in NUMBERS[1:]]
    assert {each.phone.number for each in [ends, *others]} == set(NUMBERS)
    with pytest.raises(LookupError):
        Ends(ends.phones)
    others[0].close()
    Ends(ends.phones).close()
    for other in others[1:]:
        other.close()


async def test_hearing_lasts_until_the_browser_has_said_it(ends: Ends) -> None:
    caller = await ends.answered()
    hearing = asyncio.create_task(caller.hear(HeardPrompt("Dzień dobry.", "pl-PL", "/hello.wav")))
    said = await ends.until_sent("utterance")
    assert said == {
        "type": "utterance",
        "id": 1,
        "aloud": True,
        "text": "Dzień dobry.",
        "language": "pl-PL",
        "audio_url": "/hello.wav",
        "seconds": 0.0,
    }
    ends.do("said", id=0)
    await asyncio.sleep(0.01)
    assert not hearing.done(), "another utterance's end is not this one's"
    ends.do("said", id=1)
    await hearing


async def test_a_browser_that_never_says_it_is_done_is_not_waited_for_for_ever(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_phone, "speaking_seconds", lambda _: 0.02)
    caller = await ends.answered()
    async with asyncio.timeout(1):
        await caller.hear(QUESTION)


def test_a_long_text_may_take_longer_than_a_short_one() -> None:
    words = "How likely is it that you would recommend us to a friend or a colleague?"
    at_a_slow_voice = len(words) / 10
    short, long = HeardPrompt(words, "en-US"), HeardPrompt(words * 3, "en-US")
    assert browser_phone.speaking_seconds(short) > at_a_slow_voice
    assert browser_phone.speaking_seconds(long) > 2 * browser_phone.speaking_seconds(short)
    assert browser_phone.speaking_seconds(HeardPrompt("", "", "/prompt.wav")) > 30


async def test_each_key_is_told_as_it_is_pressed(ends: Ends) -> None:
    caller = await ends.answered()
    reaction = asyncio.create_task(caller.react(SCORE))
    await ends.until_sent("listening")
    ends.press("1#")
    assert await reaction == Pressed("1")
    assert await caller.react(SCORE) == Pressed("#")


async def test_a_key_pressed_while_the_line_talks_cuts_in_and_answers_the_question(ends: Ends) -> None:
    caller = await ends.answered()
    hearing = asyncio.create_task(caller.hear(HeardPrompt("Hello, this is Northwind.", "en-US")))
    await ends.until_sent("utterance")
    ends.press("1")
    async with asyncio.timeout(1):
        assert await hearing is None
        assert await caller.hear(QUESTION) is None
    assert ends.sent[-1]["aloud"] is False, "the rest is shown, but no longer spoken"
    ends.press("0")
    assert await caller.react(SCORE) == Pressed("1")
    assert await caller.react(SCORE) == Pressed("0")


async def test_a_late_hash_does_not_answer_the_next_question(ends: Ends) -> None:
    caller = await ends.answered()
    reaction = asyncio.create_task(caller.react(SCORE))
    await ends.until_sent("listening")
    ends.press("0")
    assert await reaction == Pressed("0")
    ends.press("#")
    assert await caller.react(ListeningFor(True, True, 1, "#", 0.02, "en-US")) == Nothing()


async def test_words_are_heard_where_the_line_listens_for_speech(ends: Ends) -> None:
    caller = await ends.answered()
    reaction = asyncio.create_task(caller.react(SCORE))
    await ends.until_sent("listening")
    ends.do("say", text="dziewięć na dziesięć")
    assert await reaction == Spoken("dziewięć na dziesięć")


async def test_words_are_not_heard_where_only_keys_count(ends: Ends) -> None:
    caller = await ends.answered()
    reaction = asyncio.create_task(caller.react(ListeningFor(True, False, 1, "#", 5, "en-US")))
    await ends.until_sent("listening")
    ends.do("say", text="nine")
    ends.press("4")
    assert await reaction == Pressed("4")


async def test_silence_is_nothing(ends: Ends) -> None:
    caller = await ends.answered()
    assert await caller.react(ListeningFor(True, True, 2, "#", 0.02, "en-US")) == Nothing()


async def test_somebody_who_is_typing_is_waited_for(ends: Ends) -> None:
    caller = await ends.answered()
    reaction = asyncio.create_task(caller.react(ListeningFor(True, True, 2, "#", 0.05, "en-US")))
    await ends.until_sent("listening")
    ends.do("typing")
    await asyncio.sleep(0.15)
    assert not reaction.done()
    ends.do("say", text="a nine, I would say")
    assert await reaction == Spoken("a nine, I would say")


async def test_typing_does_not_hold_the_line_for_ever(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_phone, "LONGEST_ANSWER_SECONDS", 0.1)
    caller = await ends.answered()
    reaction = asyncio.create_task(caller.react(ListeningFor(True, True, 2, "#", 0.05, "en-US")))
    await ends.until_sent("listening")
    ends.do("typing")
    async with asyncio.timeout(1):
        assert await reaction == Nothing()


@pytest.mark.parametrize("leave", ["hang up", "close the browser"])
async def test_whoever_leaves_while_the_line_talks_has_hung_up(ends: Ends, leave: str) -> None:
    caller = await ends.answered()
    hearing = asyncio.create_task(caller.hear(QUESTION))
    await ends.until_sent("utterance")
    if leave == "hang up":
        ends.do("hangup")
    else:
        ends.phone.disconnect()
    async with asyncio.timeout(1):
        assert await hearing == HungUp()
        assert await caller.hear(QUESTION) == HungUp()
        assert await caller.react(SCORE) == HungUp()


async def test_a_connection_that_breaks_in_a_call_has_hung_up(ends: Ends) -> None:
    caller = await ends.answered()
    ends.broken = True
    async with asyncio.timeout(1):
        await caller.hear(QUESTION)
        assert await caller.react(SCORE) == HungUp()
    await caller.ended()


async def test_hanging_up_a_ringing_phone_is_busy(ends: Ends) -> None:
    ringing = asyncio.create_task(ends.caller().ring(FROM, ends.phone.number))
    await ends.until_sent("ring")
    ends.do("hangup")
    assert await ringing == "busy"


# Over a real connection


@pytest.fixture
def line() -> Line:
    return Line(BrowserPhones(ring_seconds=5))


@pytest.fixture
async def address(line: Line) -> AsyncIterator[str]:
    async with serving(line) as at:
        yield at


async def receive(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message, which is of this kind; utterances on the way are acknowledged."""
    async with asyncio.timeout(5):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == kind:
                return message
            assert message["type"] == "utterance", message
            await socket.send(json.dumps({"type": "said", "id": message["id"]}))


async def order(address: str, phone: str, language: str = "pl") -> httpx.Response:
    body = {"queue": "billing", "language": language, "phone": phone}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"http://{address}/demo/call", json=body)


async def test_a_whole_call_is_asked_for_answered_and_stored(line: Line, address: str) -> None:
    async with connect(f"ws://{address}/demo/phone", proxy=None) as socket:
        ready = await receive(socket, "ready")
        assert (ready["brand"], ready["queues"]) == ("Northwind", ["billing", "support", "returns"])
        placed = (await order(address, ready["number"])).json()
        assert (await receive(socket, "ring"))["to"] == ready["number"]
        await socket.send('{"type": "accept"}')
        assert (await receive(socket, "listening"))["max_digits"] == 2
        await socket.send('{"type": "keys", "keys": "9"}')
        assert (await receive(socket, "listening"))["asks"] is False
        await socket.send('{"type": "keys", "keys": "#"}')
        await receive(socket, "listening")
        await socket.send(json.dumps({"type": "say", "text": "Szybko i miło"}))
        await receive(socket, "ended")
    async with httpx.AsyncClient(trust_env=False) as client:
        story = (await client.get(f"http://{address}/demo/calls/{placed['survey_id']}")).json()
    assert story["status"] == "completed"
    assert (story["response"]["score"], story["response"]["comment"]) == (9, "Szybko i miło")
    assert line.reactions == [Pressed("9"), Pressed("#"), Spoken("Szybko i miło")]


async def test_a_browser_that_closes_in_a_call_has_hung_up(line: Line, address: str) -> None:
    async with connect(f"ws://{address}/demo/phone", proxy=None) as socket:
        number = (await receive(socket, "ready"))["number"]
        await order(address, number)
        await receive(socket, "ring")
        await socket.send('{"type": "accept"}')
        await receive(socket, "listening")
    async with asyncio.timeout(5):
        await asyncio.gather(*line.calls)
    assert line.reactions == [HungUp()]
    assert not line.phones.holds(number)


@pytest.mark.parametrize(
    "message", ["nonsense", '{"type": "keys", "keys": "A"}', '{"type": "ring"}', "[]", b"\x00"]
)
async def test_what_is_no_message_of_a_phone_ends_the_connection(address: str, message: str | bytes) -> None:
    async with connect(f"ws://{address}/demo/phone", proxy=None) as socket:
        await receive(socket, "ready")
        await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_a_page_of_another_site_gets_no_phone(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://{address}/demo/phone", origin=Origin("http://elsewhere.example"), proxy=None
        ):
            pass
    assert refused.value.response.status_code == 403


async def test_a_phone_that_nobody_holds_is_not_called(line: Line, address: str) -> None:
    assert (await order(address, NUMBERS[0])).status_code == 409
    assert line.surveys == {}


async def test_the_reason_for_not_calling_reaches_the_page(line: Line, address: str) -> None:
    line.skip_for = "opted_out"
    async with connect(f"ws://{address}/demo/phone", proxy=None) as socket:
        answer = (await order(address, (await receive(socket, "ready"))["number"])).json()
    assert (answer["decision"], answer["reason"]) == ("skipped", "opted_out")


async def test_live_numbers_come_at_once_and_again_when_they_change(line: Line, address: str) -> None:
    line.rows, line.progress = [report_row("billing", 6, 3, 1), report_row("support", 0, 0, 0)], (1, 2)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
        client.stream("GET", f"http://{address}/demo/live") as stream,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = (json.loads(text[6:]) async for text in stream.aiter_lines() if text.startswith("data: "))
        first = await anext(events)
        assert [row["nps"] for row in first["queues"]] == [50, None]
        assert first["total"]["responses"] == 10
        low, high = first["total"]["interval"]
        assert -100 <= low < 50 < high <= 100
        assert first["queues"][1]["interval"] is None
        line.rows = [report_row("billing", 6, 3, 2), report_row("support", 0, 0, 0)]
        assert (await anext(events))["total"]["responses"] == 11


async def test_the_page_and_its_files_are_served_and_nothing_else(address: str) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://{address}") as client:
        page = await client.get("/demo")
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        for name in ("demo.js", "phone.js", "board.js", "demo.css"):
            assert (await client.get(f"/demo/page/{name}")).status_code == 200
        assert (await client.get("/static/fonts/inter-latin-wght-normal.woff2")).status_code == 200
        for name in ("index.html", "..%2Fbrowser.py", "%2e%2e/browser.py"):
            assert (await client.get(f"/demo/page/{name}")).status_code == 404
