"""The socket.io channel, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import pytest
import socketio

from app.web.throttle import AT_ONCE
from tests.chatbot.chatting import SITE, invited
from tests.line import Line, a_line

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATIENCE_SECONDS = 30


class Client:
    """A widget as others write it. What it sends is acknowledged once all of the answer has been sent."""

    def __init__(self, io: socketio.AsyncClient) -> None:
        self.io = io
        self.confirmed: list[Any] = []
        self.uttered: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        io.on("session_confirm", self.confirmed.append)
        io.on("bot_uttered", self.uttered.append)
        io.on("disconnect", lambda *_: self.gone.set())

    async def session(self, session_id: object = None, **more: Any) -> Any:
        """Ask for a session, and give its id."""
        await self.io.call("session_request", {"session_id": session_id, **more}, timeout=PATIENCE_SECONDS)
        return self.confirmed.pop()

    async def send(self, data: object) -> dict[str, Any]:
        """Send a message as it is, and give the last one of the answer."""
        await self.io.call("user_uttered", data, timeout=PATIENCE_SECONDS)
        return self.last()

    async def say(self, message: object, token: object, **custom: Any) -> dict[str, Any]:
        """Say something, and give the last message of the answer."""
        return await self.send({"message": message, "customData": {"token": token, **custom}})

    def last(self) -> dict[str, Any]:
        """The last message that came; all are forgotten."""
        message = self.uttered[-1]
        self.uttered.clear()
        return message


@asynccontextmanager
async def connected(
    line: Line, *, origin: str | None = SITE, auth: dict[str, str] | None = None, transport: str = "websocket"
) -> AsyncIterator[Client]:
    # Its own session would stay open where the connection is refused.
    async with aiohttp.ClientSession() as http:
        io = socketio.AsyncClient(reconnection=False, http_session=http)
        client = Client(io)
        headers = {"Origin": origin} if origin else {}
        await io.connect(
            str(line.http.base_url),
            headers=headers,
            auth=auth,
            transports=[transport],
            wait_timeout=PATIENCE_SECONDS,
        )
        try:
            yield client
        finally:
            # A poll that is under way would be waited for until the server lets it go, half a minute later.
            await io.eio.disconnect(abort=transport == "polling")


def payloads(message: dict[str, Any]) -> list[str]:
    return [each["payload"] for each in message.get("quick_replies", [])]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_whole_survey(line: Line, transport: str) -> None:
    token, survey_id = await invited(line)
    async with connected(line, transport=transport) as client:
        assert isinstance(await client.session(), str)
        question = await client.say("/start", token)
        assert question["quick_replies"] == [
            {"content_type": "text", "title": str(score), "payload": str(score)} for score in range(11)
        ]
        assert payloads(await client.say("4", token)) == ["skip"]
        assert payloads(await client.say("slow", token)) == ["yes", "no"]
        assert await client.say("no", token) == {"text": "Thank you for telling us. We will work on it."}
    story = await line.story(survey_id)
    assert (story["status"], story["response"]["score"], story["response"]["callback"]) == (
        "completed",
        4,
        False,
    )


async def test_a_session_has_a_name_that_nobody_guesses_and_keeps_it(line: Line) -> None:
    async with connected(line) as client:
        first, second = await client.session(), await client.session()
        assert first != second
        assert len(first) >= 32
        assert await client.session(first) == first
        for odd in ("", 7, ["x"], "x" * 5000, "a\x00b"):
            assert await client.session(odd) not in [odd, first]


async def test_a_survey_goes_on_after_the_connection_was_lost(line: Line) -> None:
    token, survey_id = await invited(line)
    async with connected(line) as client:
        session = await client.session()
        await client.say("/start", token)
        question = await client.say("9", token)
    async with connected(line, auth={"token": token}) as client:
        assert await client.session(session) == session
        assert client.last() == question
        await client.say("friendly", token)
    assert (await line.story(survey_id))["response"]["comment"] == "friendly"


async def test_asking_for_a_session_opens_nothing(line: Line) -> None:
    token, survey_id = await invited(line)
    async with connected(line, auth={"token": token}) as client:
        await client.session("mine", customData={"token": token})
        assert client.uttered == []
    assert (await line.story(survey_id))["turns"] == []


async def test_the_session_may_be_the_token_itself(line: Line) -> None:
    token, survey_id = await invited(line)
    async with connected(line) as client:
        assert await client.session(token) == token
        for message in ("", "10"):
            await client.send({"message": message, "session_id": token})
    assert (await line.story(survey_id))["response"]["score"] == 10


async def test_a_repeated_message_changes_nothing(line: Line) -> None:
    token, survey_id = await invited(line)
    async with connected(line) as one, connected(line) as other:
        await one.say("", token)
        asked = await one.say("7", token, message_id="m")
        assert await other.say("7", token, message_id="m") == asked
        assert await other.say("8", token, turn=1) == asked
    story = await line.story(survey_id)
    assert (story["response"]["score"], story["response"]["comment"]) == (7, None)


async def test_an_id_that_comes_with_another_turn_changes_nothing(line: Line) -> None:
    token, survey_id = await invited(line)
    async with connected(line) as client:
        await client.say("", token)
        asked = await client.say("7", token, turn=1, message_id="m")
        assert await client.say("slow", token, turn=2, message_id="m") == asked
    assert (await line.story(survey_id))["response"]["comment"] is None


ODD: list[object] = [None, 7, "text", [], {}, {"message": {"a": 1}}, {"customData": "x"},
       {"message": "9", "customData": {"token": 7}}, {"message": "9", "session_id": ["x"]}]  # fmt: skip


async def test_what_is_no_message_gets_a_polite_answer(line: Line) -> None:
    async with connected(line) as client:
        for odd in ODD:
            assert await client.send(odd) == {"text": "This survey has ended. Thank you for your interest."}
        assert await client.say("9", "wrong", language="pl") == {
            "text": "Ta ankieta jest już zamknięta. Dziękujemy za zainteresowanie."
        }
        assert isinstance(await client.session(), str)


@pytest.mark.parametrize("sent", ["x" * 10_000, "🙂", "שלום", "<b>so so</b>", "\x00\x01", "\u202e9 8"])
async def test_an_odd_score_is_asked_for_again(line: Line, sent: str) -> None:
    token, survey_id = await invited(line)
    async with connected(line) as client:
        await client.say("", token)
        assert len(payloads(await client.say(sent, token))) == 11
    assert (await line.story(survey_id))["status"] == "in_progress"


async def test_only_listed_sites_and_what_is_no_page_may_connect(line: Line) -> None:
    async with connected(line, origin=None), connected(line, origin=line.services.settings.public_url):
        pass
    for transport in ("websocket", "polling"):
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with connected(line, origin="https://evil.example", transport=transport):
                pass


async def test_many_people_chat_at_once(line: Line) -> None:
    async def chat() -> int:
        token, survey_id = await invited(line)
        async with connected(line) as client:
            await client.say("", token)
            await client.say("9", token)
            await client.say("skip", token)
        return int((await line.story(survey_id))["response"]["score"])

    assert await asyncio.gather(*(chat() for _ in range(50))) == [9] * 50


async def test_any_process_answers_any_message(line: Line) -> None:
    token, survey_id = await invited(line)
    async with (
        a_line(line.services.settings, worker=False, chat_origins=SITE) as second,
        connected(line) as one,
        connected(second) as other,
    ):
        await one.say("", token)
        assert payloads(await other.say("2", token)) == ["skip"]
        assert payloads(await one.say("slow", token)) == ["yes", "no"]
        await other.say("no", token)
    story = await line.story(survey_id)
    assert (story["status"], story["response"]["comment"]) == ("completed", "slow")


async def test_whoever_tries_too_many_wrong_tokens_is_disconnected(line: Line) -> None:
    async with connected(line) as client:
        for each in range(AT_ONCE + 1):
            await client.io.emit("user_uttered", {"message": "9", "customData": {"token": f"wrong-{each}"}})
        await asyncio.wait_for(client.gone.wait(), PATIENCE_SECONDS)


# What is no packet


async def raw_session(http: httpx.AsyncClient) -> str:
    """A polling connection, opened by hand: its address."""
    opened = await http.get("/socket.io/?EIO=4&transport=polling")
    session = json.loads(opened.text[1:])["sid"]
    address = f"/socket.io/?EIO=4&transport=polling&sid={session}"
    assert (await http.post(address, content="40")).text == "OK"
    return address


async def refused_so_far(line: Line) -> float:
    """How many packets could not be read."""
    text = (await line.http.get("/metrics")).text
    return float(text.partition("\nzeroten_chat_packets_refused_total ")[2].partition("\n")[0])


async def test_a_polling_body_that_is_too_large_is_refused_at_once(visitor: httpx.AsyncClient) -> None:
    address = await raw_session(visitor)

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"4" * 32 * 1024

    for body in (b"4" * 70_000, blocks()):
        async with asyncio.timeout(5):
            answer = await visitor.post(address, content=body)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


MALFORMED = [
    "4", "42", "42[", "42[]", "42{}", "42[{}]", "42[[]]", "42[null, 1]", "427", "4x", "x", "b===", "43[]", "44", "45-",
    "451-[]", "4699-", "42" + "[" * 5000, '42["connect"]', '42["disconnect", 1, 2, 3]', '42["user_uttered", 1, 2, 3]',
    '42["session_request", {}, {}, {}]', "\x1e" * 40, "\udcff",
]  # fmt: skip


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_malformed_packet_is_counted_and_leaves_no_traceback(
    line: Line, visitor: httpx.AsyncClient, capfd: pytest.CaptureFixture[str], transport: str
) -> None:
    caught: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context))
    before = await refused_so_far(line)
    for packet in MALFORMED:
        content = packet.encode("utf-8", "surrogatepass")
        if transport == "polling":
            address = await raw_session(visitor)
            assert (await visitor.post(address, content=content)).status_code in (200, 400)
            continue
        url = str(line.http.base_url).replace("http", "ws", 1)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as ws,
        ):
            await ws.receive()
            await ws.send_str("40")
            await ws.receive()
            await ws.send_str(packet.encode("ascii", "replace").decode())
    assert await refused_so_far(line) >= before + 10
    token, survey_id = await invited(line)
    async with connected(line) as client:
        await client.say("", token)
        await client.say("9", token)
    assert (await line.story(survey_id))["response"]["score"] == 9
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert caught == []
