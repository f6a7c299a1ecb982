"""Thousands of requests that nobody would write: none of them breaks anything.

``make fuzz`` makes 20,000; a run of all tests makes a few hundred of each kind.
"""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from app.carrier import sign
from app.config import Settings
from tests.fuzz.live import Live, live
from tests.line import ADMIN, TOKEN

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1200"))
KEY = {"Authorization": f"Bearer {ADMIN}"}
# rasa-sdk's own server answers in forms of its own, and with a 500 to a tracker that it cannot read.
OF_RASA = {"/webhook", "/actions", "/health"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


def examples(share: float) -> settings:
    """So many of all requests, and no shrinking for minutes."""
    return settings(
        max_examples=max(1, round(REQUESTS * share)), deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@pytest.fixture(scope="module")
def product(module_settings: Settings) -> Iterator[Live]:
    with live(module_settings) as running:
        yield running
        assert running.broken == []


@pytest.fixture(scope="module")
def http(product: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product.url, timeout=30) as client:
        yield client
        assert client.get("/healthz").status_code == 200


def test_the_interface_answers_whatever_its_description_allows_or_forbids(
    product: Live, http: httpx.Client
) -> None:
    schema = schemathesis.openapi.from_dict(http.get("/openapi.json").json())
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 15
    for operation in operations:
        for mode in GenerationMode:
            # Where nothing can be asked wrongly there is no wrong request.
            with suppress(Unsatisfiable):
                ask(product, operation.as_strategy(generation_mode=mode), 0.5 / len(operations) / 2)


def ask(product: Live, cases: st.SearchStrategy[Any], share: float) -> None:
    """Make these requests of the interface."""

    @examples(share)
    @given(case=cases)
    def request(case: Any) -> None:
        answer = case.call(base_url=product.url, headers=KEY, timeout=30)
        # A process without a worker says that it is not ready.
        if case.operation.path not in OF_RASA | {"/readyz"}:
            case.validate_response(answer, checks=CHECKS)

    request()


# The carrier's webhooks, signed as they should be, with whatever in them

ODD = st.sampled_from(
    ["", "0", "10", "*", "9#", "-1", "9" * 30, "1e400", "nan", "true", "stop", "START", "completed", "failed",
     "machine_start", "+48221234567", "whatsapp:+48221234567", "sip:x@y", "RE" + "0" * 32, "CA" + "0" * 32,
     "onMessageAdded", "\0", "\ud83d", "zażółć 🙂", "x" * 3000, "%00", "<Response/>", "'; --"]
)  # fmt: skip
VALUES = ODD | st.text(st.characters(codec=None), max_size=40)
FIELDS = (
    "CallSid", "CallStatus", "Digits", "SpeechResult", "Confidence", "From", "To", "Direction", "MessageSid",
    "MessageStatus", "ErrorCode", "Body", "ButtonText", "OptOutType", "RecordingSid", "RecordingStatus",
    "RecordingDuration", "AnsweredBy", "SipResponseCode", "EventType", "ConversationSid", "Author",
    "SipHeader_X-Interaction", "NumMedia",
)  # fmt: skip
FORMS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8)
NUMBERS = st.sampled_from(["0", "1", "2", "7", "x", "9" * 30, "-1", "%00", "²"])
UNKNOWN = "00000000-0000-0000-0000-000000000007"


def addresses(product: Live) -> st.SearchStrategy[str]:
    survey = st.sampled_from([*product.surveys, UNKNOWN])
    attempt = st.sampled_from([*product.attempts, UNKNOWN])
    language = st.sampled_from(["en", "pl", "xx", "%00"])
    voice = st.builds(
        "/twilio/voice/{}/{}/{}".format,
        language,
        survey,
        st.sampled_from(["open", "open?attempt=", "heard", "heard?turn=1", "recording", "opt-out"]) | NUMBERS,
    )
    status = st.builds(
        "/twilio/attempts/{}/{}".format, attempt, st.sampled_from(["status", "machine", "message-status"])
    )
    begun = st.builds("/twilio/voice/en/{}/open?attempt={}".format, survey, attempt)
    plain = st.sampled_from(
        ["/twilio/voice", "/twilio/voice/opt-out", "/twilio/messages", "/twilio/conversations"]
    )
    return voice | status | begun | plain


def test_signed_webhooks_are_answered_whatever_stands_in_them(product: Live, http: httpx.Client) -> None:
    @examples(0.25)
    @given(address=addresses(product), form=FORMS)
    def post(address: str, form: dict[str, str]) -> None:
        body = urlencode(form, errors="surrogatepass").encode()
        read = {
            name: value.encode(errors="surrogatepass").decode(errors="replace")
            for name, value in form.items()
        }
        headers = {
            "X-Twilio-Signature": sign(str(httpx.URL(product.url + address)), read, TOKEN),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = http.post(address, content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        assert answer.status_code != 403, answer.text
        if answer.headers.get("content-type", "").startswith("text/xml"):
            ET.fromstring(answer.content)  # noqa: S314 - our own document

    post()


# Packets of a chat, and frames of a call

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
NAMES = st.sampled_from(
    ["message", "session_id", "customData", "token", "turn", "message_id", "event", "media", "start", "payload", "dtmf",
     "mark", "name", "digit", "streamSid", "callSid", "mediaFormat", "encoding", "sampleRate", "track"]
)  # fmt: skip
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.sampled_from(["user_uttered", "session_request", "connect", "disconnect", "bot_uttered", "*", ""])
KINDS = st.sampled_from(["40", "41", "43", "44", "451-", "2", "5"])


@st.composite
def chat_packets(draw: st.DrawFn) -> str:
    """A packet of a chat: an event, something else of socket.io's, or anything."""
    event = "42" + json.dumps([draw(EVENTS), *draw(st.lists(DATA, max_size=3))])
    return draw(st.sampled_from([event, draw(KINDS) + json.dumps(draw(DATA)), draw(st.text(max_size=30))]))


START = json.dumps(
    {
        "event": "start",
        "start": {
            "streamSid": "MZ1",
            "callSid": "CA1",
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }
)
MESSAGES = st.sampled_from(["media", "start", "dtmf", "mark", "stop"])


@st.composite
def stream_frames(draw: st.DrawFn) -> str | bytes:
    """A frame of a call: its beginning, some sound, a message with anything in it, or anything."""
    sound = b64encode(draw(st.binary(max_size=400))).decode()
    event = draw(MESSAGES)
    frames: list[str | bytes] = [
        START,
        json.dumps({"event": "media", "media": {"payload": sound}}),
        json.dumps({"event": event, event: draw(DATA)}),
        json.dumps(draw(DATA)),
        draw(st.text(max_size=30)),
        draw(st.binary(max_size=60)),
    ]
    return draw(st.sampled_from(frames))


def send_all(socket: ClientConnection, pieces: list[str] | list[str | bytes]) -> None:
    """Send what the other side still takes; it may hang up on such a client."""
    try:
        for piece in pieces:
            socket.send(piece)
    except (WebSocketException, UnicodeEncodeError):
        pass


def test_a_chat_stays_whatever_packets_come(product: Live) -> None:
    url = product.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"

    @examples(0.125)
    @given(sent=st.lists(chat_packets(), max_size=5))
    def chat(sent: list[str]) -> None:
        with connect(url, compression=None) as socket:
            assert str(socket.recv(timeout=10)).startswith("0{")
            socket.send("40")
            assert str(socket.recv(timeout=10)).startswith("40{")
            send_all(socket, sent)

    chat()


def test_a_call_goes_on_whatever_frames_come(product: Live, http: httpx.Client) -> None:
    survey_id, attempt_id = product.surveys[0], product.attempts[0]
    opened = f"/twilio/voice/en/{survey_id}/open?attempt={attempt_id}"
    headers = {"X-Twilio-Signature": sign(product.url + opened, {"CallSid": "CA1"}, TOKEN)}
    address = product.url.replace("http", "ws", 1) + f"/twilio/stream/{survey_id}/1"
    signature = {"X-Twilio-Signature": sign(address, {}, TOKEN)}

    @examples(0.125)
    @given(sent=st.lists(stream_frames(), max_size=5))
    def stream(sent: list[str | bytes]) -> None:
        with connect(address, additional_headers=signature, compression=None) as socket:
            send_all(socket, sent)

    stream()
    answer = http.post(opened, data={"CallSid": "CA1"}, headers=headers)
    assert b"<Gather" in answer.content
