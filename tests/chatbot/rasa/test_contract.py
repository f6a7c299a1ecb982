"""The protocol of action servers, by what a real Rasa server has sent."""

import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.config import Settings
from app.web import access
from tests.chatbot.rasa.assistant import DOMAIN, Assistant
from tests.line import Line, a_line

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "recorded-requests.jsonl").read_text(encoding="utf-8").splitlines()
]
RESPONSE = {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    async with a_line(settings, worker=False) as running:
        yield running


def as_ours(request: dict[str, Any]) -> dict[str, Any]:
    """A recorded call as the same server would have made it with flows/rasa/: other slots, the same everything else."""
    tracker = request["tracker"]
    requested = tracker["slots"]["requested_slot"]
    slots = {
        "nps_answer": None if requested is None else tracker["slots"][requested],
        "nps_survey": None,
        "requested_slot": requested and "nps_answer",
        "session_started_metadata": tracker["slots"]["session_started_metadata"],
    }
    return request | {"domain": DOMAIN, "tracker": tracker | {"slots": slots}}


def check_shape(body: dict[str, Any]) -> None:
    assert set(body) == {"events", "responses"}
    for event in body["events"]:
        assert set(event) == {"event", "timestamp", "name", "value"}
        assert event["event"] == "slot"
    for response in body["responses"]:
        assert set(response) == RESPONSE
        assert response["text"]
        assert all(set(button) == {"title", "payload"} for button in response["buttons"])


async def test_every_recorded_call_is_answered_in_the_shape_that_its_server_took(
    line: Line, subtests: pytest.Subtests
) -> None:
    assert len(RECORDED) == 12
    for number, recorded in enumerate(RECORDED):
        for kind, request in (("as sent", recorded["req"]), ("as ours", as_ours(recorded["req"]))):
            with subtests.test(number=number, kind=kind):
                await replay(line.http, request, recorded)


async def replay(http: httpx.AsyncClient, request: dict[str, Any], recorded: dict[str, Any]) -> None:
    headers = {name: recorded["headers"][name] for name in ("content-type", "accept", "user-agent")}
    answer = await http.post("/webhook", content=json.dumps(request), headers=headers)
    if request["next_action"] == "action_submit_nps":
        assert answer.status_code == 404
        assert answer.json()["action_name"] == "action_submit_nps"
    else:
        assert answer.status_code == recorded["status"]
        assert set(answer.json()) == set(recorded["resp"])
        check_shape(answer.json())
        assert answer.json()["events"][0]["name"] == "nps_answer"


def test_the_assistant_of_these_tests_sends_what_the_server_sent() -> None:
    ours = Assistant(httpx.AsyncClient())
    ours.begin_session({})
    for recorded in RECORDED:
        assert set(ours.request("validate_nps_form")) == set(recorded["req"])
        assert set(ours.request("validate_nps_form")["tracker"]) == set(recorded["req"]["tracker"])


async def test_a_deflated_call_is_read(line: Line) -> None:
    for recorded in RECORDED[:3]:
        content = zlib.compress(json.dumps(recorded["req"]).encode())
        answer = await line.http.post("/webhook", content=content, headers={"content-encoding": "deflate"})
        assert answer.status_code == 200
        check_shape(answer.json())


async def test_what_cannot_be_read_is_refused(line: Line, subtests: pytest.Subtests) -> None:
    plain = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000]
    call = json.dumps(Assistant(line.http).request("action_nps_finish")).encode()
    cut, huge = zlib.compress(call)[:-4], zlib.compress(bytes(40 * 1024 * 1024))
    for content, encoding in [
        *((each, "") for each in plain),
        *((each, "deflate") for each in (call, cut, huge)),
    ]:
        with subtests.test(content=content[:10], encoding=encoding):
            headers = {"content-encoding": encoding} if encoding else {}
            answer = await line.http.post("/webhook", content=content, headers=headers)
            assert answer.status_code == 400
            assert answer.json() == {"error": "Invalid body request"}


async def test_an_unknown_action_is_not_found(line: Line) -> None:
    answer = await Assistant(line.http).call("action_of_somebody_else")
    assert answer.status_code == 404
    assert answer.json()["action_name"] == "action_of_somebody_else"
    assert "action_of_somebody_else" in answer.json()["error"]


async def test_a_call_of_no_action_does_nothing(line: Line) -> None:
    answer = await line.http.post("/webhook", json={"next_action": None})
    assert answer.status_code == 200
    assert answer.json() is None


async def test_a_call_without_the_domain_is_sent_back_for_it_until_its_digest_is_known(line: Line) -> None:
    call = Assistant(line.http).request("action_nps_finish")
    bare = {key: value for key, value in call.items() if key != "domain"}
    digest = {"domain_digest": "d1"}
    for request in (bare, bare | digest, bare | {"domain": None}):
        answer = await line.http.post("/webhook", json=request)
        assert answer.status_code == 449
        assert answer.json()["action_name"] == "action_nps_finish"
    assert (await line.http.post("/webhook", json=call | digest)).status_code == 200
    assert (await line.http.post("/webhook", json=bare | digest)).status_code == 200
    assert (await line.http.post("/webhook", json=bare | {"domain_digest": "d2"})).status_code == 449


async def test_of_a_malformed_tracker_the_caller_is_told(line: Line, subtests: pytest.Subtests) -> None:
    call = Assistant(line.http).request("validate_nps_form")
    known = {"sender_id": "somebody"}
    malformed: list[object] = [None, [], {}, {"sender_id": 7}, known | {"slots": 1}, known | {"events": [1]}]
    for tracker in malformed:
        with subtests.test(tracker=tracker):
            answer = await line.http.post("/webhook", json=call | {"tracker": tracker})
            assert answer.status_code == 500
            assert answer.json()["error"]


async def test_a_tracker_may_lack_what_the_survey_can_do_without(line: Line) -> None:
    call = Assistant(line.http).request("validate_nps_form")
    for tracker in (
        {"sender_id": "somebody"},
        {"sender_id": "somebody", "slots": None, "latest_message": None, "events": None},
    ):
        answer = await line.http.post("/webhook", json=call | {"tracker": tracker})
        assert answer.status_code == 200, answer.text
        check_shape(answer.json())


async def test_the_actions_are_those_of_the_domain(line: Line) -> None:
    names = [each["name"] for each in (await line.http.get("/actions")).json()]
    assert names == DOMAIN["actions"]
    assert (await line.http.get("/health")).json() == {"status": "ok"}


async def test_nobody_acts_without_a_key_of_the_scope_chat(line: Line) -> None:
    async with line.services.pool.connection() as connection:
        chat = await access.create(connection, "rasa", "chat")
        trigger = await access.create(connection, "crm", "trigger")
    call = Assistant(line.http).request("action_nps_finish")
    for sent, status in (
        ("", 401),
        ("Bearer wrong", 401),
        (f"Bearer {trigger}", 403),
        (f"Bearer {chat}", 200),
    ):
        headers = {"authorization": sent}
        assert (await line.http.post("/webhook", json=call, headers=headers)).status_code == status
        assert (await line.http.get("/actions", headers=headers)).status_code == status
        assert (await line.http.get("/health", headers=headers)).status_code == status
