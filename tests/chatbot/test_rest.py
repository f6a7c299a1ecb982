"""The REST channel, over real HTTP."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.chatbot import ChatTokens
from app.outreach import LIFETIME, ExpireSurvey
from tests.chatbot.chatting import SITE, invited, payloads, post, texts
from tests.line import Line

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_channel_says_that_it_is_there(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/webhooks/rest/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_chat_that_ended_gives_a_token_and_an_address_and_the_same_id_again_too(line: Line) -> None:
    first = await line.trigger(id="chat-1", channel="chat", survey_by=None)
    again = await line.trigger(id="chat-1", channel="chat", survey_by=None)
    for decided in (first, again):
        assert (
            decided["chat"]["url"] == f"{line.services.settings.public_url}/chat/{decided['chat']['token']}"
        )
        assert line.services.chat_tokens.read(decided["chat"]["token"]) == UUID(first["survey_id"])
    batch = await line.http.post(
        "/api/v1/interactions:batch", json=[{"id": "chat-1", "channel": "chat", "queue": "billing",
                                             "ended_at": "2026-01-01T10:00:00Z"}]
    )  # fmt: skip
    assert batch.json()[0]["chat"]["token"]


async def test_a_survey_by_phone_gives_no_token(line: Line) -> None:
    assert (await line.trigger(channel="chat", survey_by="voice"))["chat"] is None


async def test_a_whole_survey(line: Line, visitor: httpx.AsyncClient) -> None:
    token, survey_id = await invited(line)
    opening = await post(visitor, token, "/start")
    assert {reply["recipient_id"] for reply in opening} == {token}
    assert "Northwind" in texts(opening)
    assert opening[-1]["buttons"] == [{"title": str(score), "payload": str(score)} for score in range(11)]
    assert all("buttons" not in reply and "custom" not in reply for reply in opening[:-1])
    assert payloads(await post(visitor, token, "0")) == ["skip"]
    assert payloads(await post(visitor, token, "Nobody called me back")) == ["yes", "no"]
    assert "call you back soon" in texts(await post(visitor, token, "yes"))
    story = await line.story(survey_id)
    assert story["status"] == "completed"
    wanted = {"score": 0, "comment": "Nobody called me back", "callback": True, "channel": "chat"}
    assert story["response"].items() >= wanted.items()
    assert story["response"]["comment_source"] == "text"


async def test_the_invitation_counts_once_it_is_opened_and_the_answer_once_it_is_given(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    tokens = [(await invited(line, queue="counted"))[0] for _ in range(3)]
    assert await line.report(queue="counted") == []
    for token in tokens[:2]:
        await post(visitor, token)
        await post(visitor, token, "/start")
    await post(visitor, tokens[0], "9")
    [row] = await line.report(group_by="channel", queue="counted")
    assert {key: row[key] for key in ("group", "invited", "reached", "responses", "response_rate")} == {
        "group": "chat", "invited": 2, "reached": 2, "responses": 1, "response_rate": 0.5,
    }  # fmt: skip


async def test_looking_writes_nothing(line: Line, visitor: httpx.AsyncClient) -> None:
    token, survey_id = await invited(line, queue="unopened")
    for method in ("GET", "HEAD"):
        for path in (f"/chat/{token}", "/webhooks/rest/", "/widget.js"):
            await visitor.request(method, path)
    story = await line.story(survey_id)
    assert (story["status"], story["turns"]) == ("scheduled", [])
    assert await line.report(queue="unopened") == []


@pytest.mark.parametrize("start", ["", "  ", None, "/start", "/get_started", "/restart", "/session_start"])
async def test_a_start_shows_the_present_question_and_hears_nothing(
    line: Line, visitor: httpx.AsyncClient, start: str | None
) -> None:
    token, _ = await invited(line)
    await post(visitor, token)
    asked = await post(visitor, token, "7")
    assert await post(visitor, token, start) == asked


async def test_the_goodbye_of_a_finished_survey_is_said_again(line: Line, visitor: httpx.AsyncClient) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    await post(visitor, token, "9")
    goodbye = await post(visitor, token, "skip")
    for message in ("", "/start", "3", "stop"):
        assert await post(visitor, token, message) == goodbye
    story = await line.story(survey_id)
    assert (story["status"], story["response"]["score"]) == ("completed", 9)


async def test_stop_ends_it_at_any_question_and_for_good(line: Line, visitor: httpx.AsyncClient) -> None:
    for number, before in enumerate(([], [""], ["", "4"], ["", "4", "slow"])):
        customer = {"crm_id": f"customer-{number}"}
        token, survey_id = await invited(line, customer=customer)
        for message in before:
            await post(visitor, token, message)
        assert "we won't ask you again" in texts(await post(visitor, token, "stop"))
        assert (await line.story(survey_id))["status"] == "opted_out"
        later = await line.trigger(channel="chat", survey_by="chat", customer=customer)
        assert (later["decision"], later["reason"], later["chat"]) == ("skipped", "opted_out", None)


async def test_an_unclear_answer_is_asked_once_more_then_left_in_peace(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    again = await post(visitor, token, "well, you know")
    assert "one number from 0 to 10" in texts(again)
    assert len(payloads(again)) == 11
    assert payloads(await post(visitor, token, "as I said")) == []
    assert (await line.story(survey_id))["status"] == "partial"


async def test_hello_before_the_question_is_no_bad_answer_but_a_score_is_one(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, survey_id = await invited(line)
    assert "from 0, not at all likely" in texts(await post(visitor, token, "hello?"))
    other, other_id = await invited(line)
    assert payloads(await post(visitor, other, "8")) == ["skip"]
    assert (await line.story(survey_id))["status"] == "in_progress"
    assert (await line.story(other_id))["response"]["score"] == 8


async def test_a_repeated_message_changes_nothing(line: Line, visitor: httpx.AsyncClient) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    asked = await post(visitor, token, "7", message_id="m-1")
    assert await post(visitor, token, "7", message_id="m-1") == asked
    assert await post(visitor, token, "7", turn=1) == asked
    assert (await line.story(survey_id))["response"]["comment"] is None
    other, _ = await invited(line)
    await post(visitor, other)
    assert payloads(await post(visitor, other, "7", message_id="m-1")) == ["skip"]


async def test_an_id_that_comes_with_another_turn_changes_nothing(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    asked = await post(visitor, token, "7", turn=1, message_id="m-1")
    assert await post(visitor, token, "8", turn=2, message_id="m-1") == asked
    assert (await line.story(survey_id))["response"]["comment"] is None
    other, other_id = await invited(line)
    await post(visitor, other)
    assert payloads(await post(visitor, other, "6", turn=1, message_id="m-1")) == ["skip"]
    assert (await line.story(other_id))["response"]["score"] == 6


async def test_two_tabs_at_once_give_one_answer(line: Line, visitor: httpx.AsyncClient) -> None:
    token, survey_id = await invited(line, queue="two tabs")
    shown = await post(visitor, token, widget=True)
    turn = shown[-1]["custom"]["turn"]
    scores = ("3", "9", "5", "7")
    asked = await asyncio.gather(*(post(visitor, token, score, turn=turn) for score in scores))
    assert all(payloads(replies) == ["skip"] for replies in asked)
    story = await line.story(survey_id)
    assert str(story["response"]["score"]) in scores
    assert len(story["turns"]) == 2
    [row] = await line.report(queue="two tabs")
    assert (row["responses"], row["reached"]) == (1, 1)


async def test_only_our_own_widget_is_told_how_to_show_a_question(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, _ = await invited(line, language="pl")
    shown = (await post(visitor, token, widget=True))[-1]["custom"]
    assert shown["labels"]["title"] == "Krótkie pytanie"
    assert (shown["kind"], shown["progress"], shown["done"], shown["locale"]) == (
        "score",
        [1, 3],
        False,
        "pl-PL",
    )
    after = (await post(visitor, token, "10", turn=shown["turn"], widget=True))[-1]["custom"]
    assert after == {"kind": "comment", "turn": 2, "progress": [2, 2], "score": 10, "done": False}
    end = (await post(visitor, token, "skip", turn=2, widget=True))[-1]["custom"]
    assert (end["kind"], end["progress"], end["done"]) == (None, None, True)


async def test_the_language_of_the_page_becomes_that_of_the_survey(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, survey_id = await invited(line, language="en")
    assert "Northwind" in texts(await post(visitor, token, language="nb-NO"))
    await post(visitor, token, "9")
    story = await line.story(survey_id)
    assert (story["language"], story["response"]["language"]) == ("nb", "nb")
    for written in ("no", "NN_no", "Norwegian (Bokmål)"):
        token, survey_id = await invited(line, language="en")
        await post(visitor, token, language=written)
        assert (await line.story(survey_id))["language"] == "nb"
    other, other_id = await invited(line, language="fr")
    await post(visitor, other, language="tlh")
    assert (await line.story(other_id))["language"] == "fr"


WRONG_BODIES = [
    (b"", 400, "invalid_json"),
    (b"sender=x", 400, "invalid_json"),
    (b"\xff\xfe", 400, "invalid_json"),
    (b"[]", 422, "invalid_fields"),
    (b"{}", 422, "invalid_fields"),
    (b'{"sender": 7}', 422, "invalid_fields"),
    (b'{"sender": "x", "message": {"text": "9"}}', 422, "invalid_fields"),
    (b'{"sender": "x", "metadata": "y"}', 422, "invalid_fields"),
    (b'{"sender": "x", "message": "' + b"9" * 70_000 + b'"}', 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), WRONG_BODIES)
async def test_what_is_no_message_is_refused_with_a_reason(
    visitor: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await visitor.post("/webhooks/rest/webhook", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


ODD_COMMENTS = [
    ("x" * 10_000, "x" * 2000),
    ("🙂🙂", "🙂🙂"),
    ("שירות מצוין \u202eevil", "שירות מצוין evil"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("be\x00ll\x07 \ud83d", "bell ?"),
    ("one\r\ntwo", "one\ntwo"),
    ("'; DROP TABLE surveys; --", "'; DROP TABLE surveys; --"),
]


@pytest.mark.parametrize(("sent", "kept"), ODD_COMMENTS)
async def test_an_odd_comment_is_kept_as_text(
    line: Line, visitor: httpx.AsyncClient, sent: str, kept: str
) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    await post(visitor, token, "9")
    body = json.dumps({"sender": token, "message": sent})
    answer = await visitor.post("/webhooks/rest/webhook", content=body)
    assert answer.status_code == 200, answer.text
    story = await line.story(survey_id)
    assert (story["status"], story["response"]["comment"]) == ("completed", kept)


@pytest.mark.parametrize("sent", ["x" * 10_000, "🙂", "שלום", "<b>so so</b>", "\x00\x01\ud83d", "\u200b.,;"])
async def test_an_odd_score_is_asked_for_again(line: Line, visitor: httpx.AsyncClient, sent: str) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    answer = await visitor.post(
        "/webhooks/rest/webhook", content=json.dumps({"sender": token, "message": sent})
    )
    assert len(payloads(answer.json())) == 11
    assert (await line.story(survey_id))["status"] == "in_progress"


@pytest.mark.parametrize("metadata", [{"turn": "one"}, {"turn": 10**30}, {"turn": -1}, {"turn": True}, {"turn": 1.5},
                                      {"message_id": ["x"]}, {"message_id": "\x00"}, {"message_id": "y" * 5000},
                                      {"language": 7}, {"widget": "yes"}, {"x": {"y": []}}])  # fmt: skip
async def test_metadata_of_others_does_no_harm(
    line: Line, visitor: httpx.AsyncClient, metadata: dict[str, Any]
) -> None:
    token, survey_id = await invited(line)
    await post(visitor, token)
    await post(visitor, token, "6", **metadata)
    assert (await line.story(survey_id))["status"] == "in_progress"


async def test_a_wrong_token_is_told_so_in_the_visitors_language(visitor: httpx.AsyncClient) -> None:
    for token in ("", "wrong", "ą", "a.b.c", "\ud800", "x" * 5000):
        answer = await visitor.post(
            "/webhooks/rest/webhook",
            content=json.dumps({"sender": token}),
            headers={"Accept-Language": "xx, fr;q=0.9, en;q=0.1"},
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
        assert answer.json()["detail"].startswith("Cette enquête")


async def test_a_token_is_good_for_nothing_else_and_nothing_else_is_a_token(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, survey_id = await invited(line)
    elsewhere = await visitor.get(
        f"/api/v1/surveys/{survey_id}", headers={"Authorization": f"Bearer {token}"}
    )
    assert elsewhere.status_code == 401
    forged = ChatTokens(b"another secret", 3600).make(UUID(survey_id), datetime.now(UTC))
    for wrong in (forged, survey_id, token[:-1], token + "x", token.swapcase()):
        answer = await visitor.post("/webhooks/rest/webhook", json={"sender": wrong, "message": "9"})
        assert answer.status_code == 401
    assert (await line.story(survey_id))["turns"] == []


async def test_an_expired_token_says_that_the_survey_has_ended(
    line: Line, visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, survey_id = await invited(line, language="pl")
    after = time.time() + LIFETIME.total_seconds() + 2
    monkeypatch.setattr("app.chatbot.tokens.time.time", lambda: after)
    replies = await post(visitor, token, "9", widget=True)
    assert replies == [{"recipient_id": token, "text": "Ta ankieta jest już zamknięta. Dziękujemy za zainteresowanie.",
                        "custom": {"done": True}}]  # fmt: skip
    assert (await line.story(survey_id))["turns"] == []


async def test_a_survey_that_nobody_opens_expires_and_one_left_half_way_is_partial(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    expire = line.services.expiry.expire
    unopened, opened, scored, finished = [await invited(line, queue="expiring") for _ in range(4)]
    for token, _ in (opened, scored, finished):
        await post(visitor, token)
    for token, _ in (scored, finished):
        await post(visitor, token, "3")
    for message in ("skip", "no"):
        await post(visitor, finished[0], message)
    for _, survey_id in (unopened, opened, scored, finished):
        await expire(ExpireSurvey(UUID(survey_id)))
        await expire(ExpireSurvey(UUID(survey_id)))
    ended = [(await line.story(survey_id))["status"] for _, survey_id in (unopened, opened, scored, finished)]
    assert ended == ["expired", "partial", "partial", "completed"]
    assert "This survey has ended" in texts(await post(visitor, unopened[0], "9"))
    [row] = await line.report(queue="expiring")
    assert (row["invited"], row["reached"], row["responses"]) == (3, 3, 2)


async def test_the_expiry_is_planned_with_the_survey(line: Line) -> None:
    _, survey_id = await invited(line)
    async with line.services.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT task_name, args ->> 'survey_id', scheduled_at - now() > interval '23 hours 59 minutes'"
            " FROM procrastinate_jobs WHERE args ->> 'survey_id' = %s",
            (survey_id,),
        )
        assert await cursor.fetchall() == [("expire_survey", survey_id, True)]


async def test_only_listed_sites_may_talk_across_origins(line: Line, visitor: httpx.AsyncClient) -> None:
    token, _ = await invited(line)
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for origin, allowed in ((SITE, True), ("https://evil.example", False), ("null", False)):
        preflight = await visitor.options("/webhooks/rest/webhook", headers={"Origin": origin, **asking})
        answer = await visitor.post(
            "/webhooks/rest/webhook", json={"sender": token}, headers={"Origin": origin}
        )
        refused = await visitor.post(
            "/webhooks/rest/webhook", json={"sender": "x"}, headers={"Origin": origin}
        )
        for seen in (preflight, answer, refused):
            assert seen.headers.get("access-control-allow-origin") == (origin if allowed else None)
            assert "access-control-allow-credentials" not in seen.headers
        assert preflight.is_success == allowed
    api = await line.http.get("/api/v1/reports/nps", headers={"Origin": SITE})
    assert "access-control-allow-origin" not in api.headers


async def test_a_page_hosts_the_widget_and_shows_nothing_of_its_address_as_html(
    visitor: httpx.AsyncClient,
) -> None:
    page = await visitor.get("/chat/%22%3E%3Cscript%3Ealert(1)", headers={"Accept-Language": "pl"})
    assert page.status_code == 200
    assert '<html lang="pl-PL">' in page.text
    assert "alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_contract_is_documented(visitor: httpx.AsyncClient) -> None:
    paths = (await visitor.get("/openapi.json")).json()["paths"]
    assert {"get"} <= set(paths["/webhooks/rest/"])
    assert "sender" in json.dumps(paths["/webhooks/rest/webhook"]["post"]["requestBody"])
