"""POST /api/v1/interactions: decisions, their reasons, and what is written with them."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from app.config import Settings
from app.intake import InteractionIn
from app.store import suppressions
from tests.line import Line, a_line, eventually, interaction
from tests.rows import execute, jobs_of, row, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_settings: Settings) -> AsyncIterator[Line]:
    async with a_line(module_settings, worker=False) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def own_line(settings: Settings) -> AsyncIterator[Line]:
    """A line whose database the test may break."""
    async with a_line(settings, worker=False) as running:
        yield running


async def queue(line: Line, **overrides: Any) -> str:
    """A new queue with settings of its own."""
    name = f"queue-{uuid4().hex}"
    answer = await line.http.put(f"/api/v1/queues/{name}", json=overrides)
    assert answer.status_code == 200, answer.text
    return name


_phones = count(10_000_000)


def customer(**changes: Any) -> dict[str, Any]:
    """A customer nobody has met before; a mobile number of Poland."""
    return {
        "crm_id": uuid4().hex,
        "phone": f"+485{next(_phones):08}",
        "consent": True,
    } | changes


# Decisions


async def test_an_accepted_interaction_is_written_with_its_survey_and_one_job(line: Line) -> None:
    who = customer(name="Ewa", email="ewa@example.com", timezone="Europe/Warsaw")
    decided = await line.trigger(
        id="written", language="pl-PL", customer=who, attributes={"segment": "smb", "visits": 3, "vip": None}
    )
    assert decided["decision"] == "scheduled"
    assert decided["reason"] is None
    assert decided["chat"] is None
    stored = await row(line.services.pool, "SELECT * FROM interactions WHERE id = 'written'")
    assert {name: stored[name] for name in who} == who
    assert stored["person"] == f"crm:{who['crm_id']}"
    assert stored["language"] == "pl"
    assert stored["attributes"] == {"segment": "smb", "visits": 3, "vip": None}
    assert (stored["decision"], stored["reason"]) == ("scheduled", None)
    survey = await row(line.services.pool, "SELECT * FROM surveys WHERE interaction_id = 'written'")
    assert str(survey["id"]) == decided["survey_id"]
    assert (survey["status"], survey["phone"], survey["agent"]) == ("scheduled", who["phone"], "anna")
    assert survey["due_at"] == stored["due_at"] == datetime.fromisoformat(decided["due_at"])
    (job,) = await jobs_of(line.services.pool, decided["survey_id"])
    assert (job["args"]["number"], job["scheduled_at"], job["status"]) == (1, survey["due_at"], "todo")


async def an_optout(line: Line) -> dict[str, Any]:
    who = customer()
    async with line.services.pool.connection() as connection:
        await suppressions.add(connection, [f"phone:{who['phone']}"], "sms")
    return {"customer": who}


async def an_open_survey(line: Line) -> dict[str, Any]:
    who = customer()
    await line.trigger(customer=who)
    return {"customer": who}


async def a_recent_survey(line: Line) -> dict[str, Any]:
    who = customer()
    decided = await line.trigger(customer=who)
    await execute(
        line.services.pool,
        "UPDATE surveys SET status = 'completed', contacted_at = now() - interval '89 days' WHERE id = %s",
        (decided["survey_id"],),
    )
    return {"customer": who}


async def four_calls_to_france(line: Line) -> dict[str, Any]:
    who = customer(phone=f"+336{uuid4().int % 10**8:08}")
    decided = await line.trigger(customer=who)
    await execute(
        line.services.pool,
        "INSERT INTO attempts (id, survey_id, number, channel, created_at)"
        " SELECT gen_random_uuid(), %s, number, 'voice', now() - interval '29 days'"
        " FROM generate_series(1, 4) AS number",
        (decided["survey_id"],),
    )
    return {"customer": who}


async def a_window_after_the_deadline(line: Line) -> dict[str, Any]:
    soon = (datetime.now(UTC) + timedelta(hours=3)).replace(minute=0)
    hours = f"{soon:%H:%M}-{soon:%H}:30"
    name = await queue(line, calling_hours=hours, max_age_hours=1)
    return {"queue": name, "customer": customer(timezone="Etc/UTC")}


REASONS: dict[str, Any] = {
    "opted_out": an_optout,
    "consent_refused": lambda _: {"customer": customer(consent=False)},
    "consent_required": lambda _: {"customer": customer(consent=None)},
    "no_address": lambda _: {"customer": customer(phone=None)},
    "no_time_zone": lambda line: _in_queue(
        line, {"calling_hours": "09:00-20:00"}, {"customer": customer(phone="+88216123456")}
    ),
    "too_many_calls": four_calls_to_france,
    "too_old": lambda _: {"ended_at": (datetime.now(UTC) - timedelta(hours=49)).isoformat()},
    "too_short": lambda line: _in_queue(line, {"min_talk_seconds": 60}, {"talk_seconds": 59}),
    "survey_open": an_open_survey,
    "surveyed_recently": a_recent_survey,
    "sampled_out": lambda line: _in_queue(line, {"sample_percent": 0}),
    "daily_cap": lambda line: _in_queue(line, {"daily_cap": 0}),
    "no_common_hours": lambda line: _in_queue(
        line, {"calling_hours": "03:00-04:00"}, {"customer": customer(phone="+33612345678")}
    ),
    "outside_calling_hours": a_window_after_the_deadline,
    "language_not_offered": lambda _: {"language": "de"},
}


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ("no", "nb"), ("no-NO", "nb"), ("nn", "nb"), ("nn_NO", "nb"), ("nob", "nb"), ("NB_no", "nb"),
        ("Norwegian (Bokmål)", "nb"), ("norsk", "nb"), ("eng", "en"), ("en_GB", "en"), ("ENGLISH", "en"),
        ("pol", "pl"), ("Polski", "pl"), ("fre", "fr"), ("fra-CA", "fr"), ("français", "fr"),
    ],
)  # fmt: skip
async def test_a_language_may_be_sent_under_any_of_its_names(line: Line, given: str, language: str) -> None:
    decided = await line.trigger(language=given, customer=customer())
    stored = await row(
        line.services.pool,
        "SELECT interactions.language, surveys.language AS asked FROM interactions"
        " JOIN surveys ON surveys.interaction_id = interactions.id WHERE interactions.id = %s",
        (decided["interaction_id"],),
    )
    assert stored == {"language": language, "asked": language}


@pytest.mark.parametrize(("given", "stored"), [("de_AT", "de"), ("Klingon", "klingon")])
async def test_a_language_that_is_not_offered_is_stored_as_it_was_meant(
    line: Line, given: str, stored: str
) -> None:
    decided = await line.trigger(language=given, customer=customer())
    assert decided["reason"] == "language_not_offered"
    written = await row(
        line.services.pool, "SELECT language FROM interactions WHERE id = %s", (decided["interaction_id"],)
    )
    assert written == {"language": stored}


async def _in_queue(
    line: Line, overrides: dict[str, Any], changes: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"queue": await queue(line, **overrides), **(changes or {})}


@pytest.mark.parametrize("reason", REASONS)
async def test_each_reason_is_answered_and_stored_and_leaves_no_survey(line: Line, reason: str) -> None:
    arranged = REASONS[reason](line)
    changes = {"customer": customer()} | (arranged if isinstance(arranged, dict) else await arranged)
    decided = await line.trigger(id=f"skipped-{reason}", **changes)
    assert decided == {
        "interaction_id": f"skipped-{reason}",
        "survey_id": None,
        "decision": "skipped",
        "reason": reason,
        "due_at": None,
        "chat": None,
    }
    stored = await row(
        line.services.pool,
        "SELECT decision, reason, due_at FROM interactions WHERE id = %s",
        (f"skipped-{reason}",),
    )
    assert stored == {"decision": "skipped", "reason": reason, "due_at": None}
    found = "SELECT 1 AS found FROM surveys WHERE interaction_id = %s"
    assert await rows(line.services.pool, found, (f"skipped-{reason}",)) == []


async def test_a_channel_that_this_deployment_has_not_is_a_reason(line: Line) -> None:
    mute = replace(line.services.triggers, channels=frozenset())
    item = InteractionIn.model_validate(interaction(id="mute", customer=customer()))
    (decided,) = await mute.accept([item])
    assert (decided.decision, decided.reason) == ("skipped", "channel_not_offered")


async def test_an_optout_by_phone_or_email_holds_for_whoever_has_that_address(line: Line) -> None:
    who = customer(email="Ewa@Example.com")
    async with line.services.pool.connection() as connection:
        await suppressions.add(connection, ["email:ewa@example.com"], "chat")
    assert (await line.trigger(customer=who))["reason"] == "opted_out"


async def test_a_person_is_known_again_by_number_and_by_crm_id(line: Line) -> None:
    nameless = customer(crm_id=None)
    assert (await line.trigger(customer=nameless))["decision"] == "scheduled"
    named = nameless | {"crm_id": uuid4().hex}
    assert (await line.trigger(customer=named))["reason"] == "survey_open"
    ours = customer()
    assert (await line.trigger(customer=ours))["decision"] == "scheduled"
    assert (await line.trigger(customer=ours | {"crm_id": None}))["reason"] == "survey_open"
    # Two people of one household share the phone, which rings once.
    assert (await line.trigger(customer=ours | {"crm_id": uuid4().hex}))["reason"] == "survey_open"
    assert (await line.trigger(customer=ours | {"phone": customer()["phone"]}))["reason"] == "survey_open"


async def test_the_sample_is_the_same_for_ever(line: Line) -> None:
    name = await queue(line, sample_percent=50)
    items = [interaction(id=f"sample-{n}", queue=name, customer=customer()) for n in range(200)]
    answers = (await line.http.post("/api/v1/interactions:batch", json=items)).json()
    sampled = [each["interaction_id"] for each in answers if each["decision"] == "scheduled"]
    assert 70 < len(sampled) < 130
    # Half of all ids are those whose digest begins with a zero bit.
    assert sampled == [item["id"] for item in items if sha256(item["id"].encode()).digest()[0] < 128]


async def test_a_queues_own_settings_win_over_the_deployments(line: Line) -> None:
    name = await queue(line, call_delay_seconds=600)
    ended = datetime.now(UTC)
    decided = await line.trigger(queue=name, ended_at=ended.isoformat(), customer=customer())
    assert datetime.fromisoformat(decided["due_at"]) == ended + timedelta(seconds=600)


# Idempotency


async def test_the_same_id_again_gets_the_same_answer(line: Line) -> None:
    item = interaction(id="again", customer=customer())
    first = (await line.http.post("/api/v1/interactions", json=item)).json()
    for other in (item, item | {"queue": "elsewhere", "customer": customer(consent=False)}):
        answer = await line.http.post("/api/v1/interactions", json=other)
        assert answer.status_code == 202
        assert answer.json() == first
    assert first["survey_id"]
    assert len(await jobs_of(line.services.pool, first["survey_id"])) == 1


async def test_a_skip_is_answered_again_though_its_reason_is_gone(line: Line) -> None:
    name = await queue(line, sample_percent=0)
    item = interaction(id="skipped-again", queue=name, customer=customer())
    first = (await line.http.post("/api/v1/interactions", json=item)).json()
    await line.http.put(f"/api/v1/queues/{name}", json={})
    assert (await line.http.post("/api/v1/interactions", json=item)).json() == first
    assert first["reason"] == "sampled_out"


async def test_the_same_id_twenty_times_at_once_makes_one_survey(line: Line) -> None:
    item = interaction(id="at-once", customer=customer())
    answers = await asyncio.gather(*(line.http.post("/api/v1/interactions", json=item) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    survey_id = answers[0].json()["survey_id"]
    assert await rows(line.services.pool, "SELECT id FROM surveys WHERE interaction_id = 'at-once'") == [
        {"id": UUID(survey_id)}
    ]
    assert len(await jobs_of(line.services.pool, survey_id)) == 1


async def test_whoever_writes_an_interaction_first_decides_it(line: Line) -> None:
    pool, item = line.services.pool, interaction(id="overtaken", customer=customer())
    lost = await line.trigger(language="de", customer=customer())
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO interactions SELECT (jsonb_populate_record(written, %s)).* FROM interactions AS written"
            " WHERE id = %s",
            (Jsonb({"id": "overtaken"}), lost["interaction_id"]),
        )
        posting = asyncio.create_task(line.http.post("/api/v1/interactions", json=item))

        async def waits() -> bool:
            query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            return bool(await rows(pool, query))

        await eventually(waits)
    decided = (await posting).json()
    assert (decided["decision"], decided["reason"]) == ("skipped", "language_not_offered")
    assert await rows(pool, "SELECT id FROM surveys WHERE interaction_id = 'overtaken'") == []
    # Nor is the person held back by a survey that never was.
    assert (await line.trigger(customer=item["customer"]))["decision"] == "scheduled"


async def test_one_person_twenty_times_at_once_is_asked_once(line: Line) -> None:
    who = customer()
    answers = await asyncio.gather(*(line.trigger(customer=who) for _ in range(20)))
    assert sorted(each["reason"] or "scheduled" for each in answers) == ["scheduled"] + ["survey_open"] * 19
    stored = await rows(
        line.services.pool,
        "SELECT interactions.id, decision, interactions.reason, interactions.due_at, surveys.id AS survey_id"
        " FROM interactions LEFT JOIN surveys ON surveys.interaction_id = interactions.id WHERE crm_id = %s",
        (who["crm_id"],),
    )
    told = {each["interaction_id"]: (each["decision"], each["reason"]) for each in answers}
    assert {each["id"]: (each["decision"], each["reason"]) for each in stored} == told
    assert [each["due_at"] for each in stored if each["survey_id"] is None] == [None] * 19
    (asked,) = [each["survey_id"] for each in answers if each["survey_id"]]
    assert len(await jobs_of(line.services.pool, asked)) == 1


async def test_the_daily_cap_is_exact_however_many_ask_at_once(line: Line) -> None:
    name = await queue(line, daily_cap=7)
    answers = await asyncio.gather(*(line.trigger(queue=name, customer=customer()) for _ in range(30)))
    decided = sorted(each["reason"] or "scheduled" for each in answers)
    assert decided == ["daily_cap"] * 23 + ["scheduled"] * 7
    assert (await line.trigger(queue=name, customer=customer()))["reason"] == "daily_cap"


# One transaction


async def test_nothing_is_written_where_the_job_cannot_be(own_line: Line) -> None:
    pool, item = own_line.services.pool, interaction(id="broken", customer=customer())
    await execute(pool, "ALTER TABLE procrastinate_jobs RENAME TO elsewhere")
    answer = await own_line.http.post("/api/v1/interactions", json=item)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert answer.headers["x-request-id"]
    assert await rows(pool, "SELECT id FROM interactions") == []
    assert await rows(pool, "SELECT id FROM surveys") == []
    await execute(pool, "ALTER TABLE elsewhere RENAME TO procrastinate_jobs")
    decided = (await own_line.http.post("/api/v1/interactions", json=item)).json()
    assert len(await jobs_of(pool, decided["survey_id"])) == 1


async def test_no_job_is_left_where_the_rows_cannot_be_written(own_line: Line) -> None:
    pool = own_line.services.pool
    await execute(
        pool,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$",
    )
    await execute(
        pool,
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON surveys DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    await own_line.trigger(expect=500, customer=customer())
    assert await rows(pool, "SELECT id FROM procrastinate_jobs WHERE task_name = 'start_attempt'") == []
    assert await rows(pool, "SELECT id FROM interactions") == []


# What is refused


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"id": ""}, "id"),
    ({"id": "   "}, "id"),
    ({"id": "x" * 201}, "id"),
    ({"id": 7}, "id"),
    ({"id": "call\x00"}, "id"),
    ({"id": "call\ud800"}, "id"),
    ({"queue": None}, "queue"),
    ({"queue": "bill\x00ing"}, "queue"),
    ({"agent": ["anna"]}, "agent"),
    ({"agent": "\x00"}, "agent"),
    ({"channel": "fax"}, "channel"),
    ({"survey_by": "pigeon"}, "survey_by"),
    ({"ended_at": "2026-11-21T10:15:00"}, "ended_at"),
    ({"ended_at": "yesterday"}, "ended_at"),
    ({"ended_at": None}, "ended_at"),
    ({"ended_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, "ended_at"),
    ({"ended_at": "9999-12-31T23:59:59-14:00"}, "ended_at"),
    ({"ended_at": "0001-01-01T00:00:00+14:00"}, "ended_at"),
    ({"ended_at": 1e400}, "ended_at"),
    ({"language": "p"}, "language"),
    ({"language": "12"}, "language"),
    ({"language": "en\x00"}, "language"),
    ({"language": "en-" + "x" * 5000}, "language"),
    ({"talk_seconds": -1}, "talk_seconds"),
    ({"talk_seconds": 10**30}, "talk_seconds"),
    ({"talk_seconds": "long"}, "talk_seconds"),
    ({"customer": {"phone": "12345"}}, "customer.phone"),
    ({"customer": {"phone": "+48\x0022"}}, "customer.phone"),
    ({"customer": {"phone": "+" + "1" * 5000}}, "customer.phone"),
    ({"customer": {"crm_id": "\x00"}}, "customer.crm_id"),
    ({"customer": {"name": "E\x00wa"}}, "customer.name"),
    ({"customer": {"email": "ewa"}}, "customer.email"),
    ({"customer": {"email": "e\x00@b.pl"}}, "customer.email"),
    ({"customer": {"timezone": "Mars/Base"}}, "customer.timezone"),
    ({"customer": {"timezone": "../../etc/passwd"}}, "customer.timezone"),
    ({"customer": {"timezone": "E" * 5000}}, "customer.timezone"),
    ({"customer": {"timezone": "Europe/War\x00saw"}}, "customer.timezone"),
    ({"customer": {"consent": "no"}}, "customer.consent"),
    ({"customer": {"consent": 1}}, "customer.consent"),
    ({"customer": []}, "customer"),
    ({"customer": {"telephone": "+48221234567"}}, "customer.telephone"),
    ({"custmer": {}}, "custmer"),
    ({"half\ud800": 1}, "body"),
    ({"attributes": {"basket": {"nested": 1}}}, "attributes.basket"),
    ({"attributes": {"basket": [1]}}, "attributes.basket"),
    ({"attributes": {"note": "a\x00b"}}, "attributes.note"),
    ({"attributes": {"note": "\udfff"}}, "attributes.note"),
    ({"attributes": {"note": "x" * 2001}}, "attributes.note"),
    ({"attributes": {"amount": float("nan")}}, "attributes.amount"),
    ({"attributes": {"amount": 1e400}}, "attributes.amount"),
    ({"attributes": {"x" * 201: 1}}, f"attributes.{'x' * 201}.[key]"),
    ({"attributes": {f"a{n}": n for n in range(51)}}, "attributes"),
    ({"attributes": "none"}, "attributes"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG, ids=range(len(WRONG)))
async def test_a_bad_field_is_refused_by_name(line: Line, changes: dict[str, Any], field: str) -> None:
    body = json.dumps(interaction(id=f"bad-{uuid4().hex}", customer=customer()) | changes)
    answer = await line.http.post(
        "/api/v1/interactions", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert all(each["message"] for each in answer.json()["errors"])


async def test_a_refusal_names_every_bad_field_and_repeats_no_value(line: Line) -> None:
    body = await line.trigger(
        expect=422, id="", talk_seconds=-5, customer={"phone": "+4822SECRET", "email": "secret-at-home"}
    )
    fields = [each["field"] for each in body["errors"]]
    assert fields == ["id", "talk_seconds", "customer.phone", "customer.email"]
    assert "secret" not in json.dumps(body).lower()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid_json"),
        (b"", "application/json", 422, "invalid_fields"),
        (b"null", "application/json", 422, "invalid_fields"),
        (b"[]", "application/json", 422, "invalid_fields"),
        (b'"text"', "application/json", 422, "invalid_fields"),
        (b"\xff", "application/json", 400, "bad_request"),
        (b"[" * 100_000, "application/json", 400, "bad_request"),
        (b'{"a":' * 100_000, "application/json", 400, "bad_request"),
        (b'{"id": ' + b"9" * 5000 + b"}", "application/json", 400, "bad_request"),
        (b"id=call-1", "application/x-www-form-urlencoded", 422, "invalid_fields"),
        (json.dumps(interaction()).encode(), "text/plain", 422, "invalid_fields"),
        (b" " * (33 * 1024 * 1024), "application/json", 413, "body_too_large"),
    ],
)
async def test_a_body_that_is_no_interaction_is_a_problem(
    line: Line, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = await line.http.post(
        "/api/v1/interactions", content=body, headers={"Content-Type": content_type}
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 422:
        assert [each["field"] for each in problem["errors"]] == ["body"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "id", "channel", "queue", "agent", "ended_at", "language", "talk_seconds", "survey_by", "customer", "attributes",
    "crm_id", "phone", "email", "name", "timezone", "consent", "unknown",
]  # fmt: skip
IN_CUSTOMER = {"crm_id", "phone", "email", "name", "timezone", "consent"}


@examples(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(field=st.sampled_from(FIELDS), value=JSON)
async def test_whatever_is_sent_is_accepted_or_refused_and_breaks_nothing(
    line: Line, field: str, value: object
) -> None:
    item = interaction(id=f"any-{uuid4().hex}", customer=customer())
    (item["customer"] if field in IN_CUSTOMER else item)[field] = value
    answer = await line.http.post(
        "/api/v1/interactions", content=json.dumps(item), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (202, 422), answer.text
    if answer.status_code == 422:
        fields = [each["field"] for each in answer.json()["errors"]]
        assert fields
        assert all(each.startswith((field, f"customer.{field}", "customer.")) for each in fields), fields


async def test_text_in_any_script_is_kept_as_it_came(line: Line) -> None:
    who = customer(name="Żółć Ærøskøbing 👩🏽‍💻 नमस्ते")
    await line.trigger(id="☎-1", queue="obsługa/klienta", customer=who, attributes={"Größe": "größer 🙂"})
    stored = await row(
        line.services.pool, "SELECT name, queue, attributes FROM interactions WHERE id = '☎-1'"
    )
    assert stored == {"name": who["name"], "queue": "obsługa/klienta", "attributes": {"Größe": "größer 🙂"}}


async def test_times_with_any_offset_are_understood(line: Line) -> None:
    for offset in ("+15:59", "+23:59", "-12:00", "Z"):
        ended = datetime.now(UTC) - timedelta(hours=1)
        if offset != "Z":
            sign = 1 if offset[0] == "+" else -1
            shift = sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
            written = f"{(ended + shift).replace(tzinfo=None).isoformat()}{offset}"
        else:
            written = f"{ended.replace(tzinfo=None).isoformat()}Z"
        name = f"offset-{offset}"
        await line.trigger(id=name, ended_at=written, customer=customer())
        stored = await row(line.services.pool, "SELECT ended_at FROM interactions WHERE id = %s", (name,))
        assert stored["ended_at"] == ended
