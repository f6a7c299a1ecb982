"""`zeroten crm`, as an operator types it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.crm import read_destinations, webhook
from app.crm.webhook import WebhookOptions
from app.errors import StartError
from app.store import Pool
from tests.crm.receiver import SECRET, Receiver
from tests.reports.asked import Asked, ask
from tests.rows import execute, rows

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as serving:
        yield serving


@pytest.fixture
def file(receiver: Receiver, tmp_path: Path) -> Path:
    written = tmp_path / "crm.yml"
    written.write_text(yaml.safe_dump({"ours": {"connector": "webhook", **receiver.options}}))
    return written


@pytest.fixture
def zeroten(file: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, beside the event loop, since it runs one of its own."""
    monkeypatch.setenv("ZEROTEN_DATABASE_URL", database_url)
    monkeypatch.setenv("ZEROTEN_CRM_FILE", str(file))
    monkeypatch.setenv("ZEROTEN_ALLOW_PRIVATE_URLS", "true")
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: str) -> Awaitable[Result]:
        return asyncio.to_thread(CliRunner().invoke, cli, ["crm", *arguments])

    return run


async def test_a_test_is_pushed_twice_and_is_there_once(zeroten: Command, receiver: Receiver) -> None:
    result = await zeroten("test", "ours", "--crm-id", "c1", "--score", "2")
    assert result.exit_code == 0, result.output
    assert "It took the test as" in result.output
    assert "the same record" in result.output
    (message,) = receiver.messages.values()
    assert (message["crm_id"], message["score"], message["queue"]) == ("c1", 2, "zeroten-test")
    assert "test by Zeroten" in message["comment"]


async def test_what_it_saw_is_said_where_it_fails(zeroten: Command, receiver: Receiver) -> None:
    receiver.takes_token = False
    result = await zeroten("test", "ours", "--phone", "+48221234567")
    assert result.exit_code == 1
    assert "Credentials or mapping: it answered 401" in result.output
    assert SECRET not in result.output


async def test_a_name_that_is_not_there_names_those_that_are(zeroten: Command) -> None:
    result = await zeroten("test", "hubspot")
    assert isinstance(result.exception, StartError)
    assert str(result.exception) == "there is no destination hubspot; there is ours"


async def test_an_empty_log_says_so_and_a_name_that_was_mistyped_is_told(zeroten: Command) -> None:
    assert (await zeroten("log", "ours")).output.strip() == "Nothing was pushed."
    assert "there is no destination our;" in str((await zeroten("log", "our")).exception)


async def test_the_list_shows_what_waits_and_the_log_what_was_done(zeroten: Command, pool: Pool) -> None:
    asked = await ask(pool, Asked("billing", 3), Asked("billing", 9))
    assert "2 responses wait" in (await zeroten("replay", "ours", "--since", "2026-01-01")).output
    listed = await zeroten("list")
    assert listed.exit_code == 0, listed.output
    assert [cell.strip() for cell in listed.output.splitlines()[3].split("│")[1:5]] == ["ours", "2", "0", "0"]
    await execute(
        pool,
        "INSERT INTO delivery_log (survey_id, destination, event, version, outcome, reason, seconds) VALUES"
        f" ('{asked[0]}', 'ours', 'response.completed', 3, 'failed', 'it answered 503', 0.25)",
    )
    log = (await zeroten("log", "ours")).output
    assert "it answered 503" in log
    assert str(asked[0]) in log


@pytest.mark.parametrize(
    ("since", "count"), [("24h", 1), ("90m", 1), ("7d", 2), ("2026-01-01", 2), ("2026-01-01T10:00:00Z", 2)]
)
async def test_replay_takes_times_as_people_write_them(
    zeroten: Command, pool: Pool, since: str, count: int
) -> None:
    asked = await ask(pool, Asked("billing", 3), Asked("billing", 9))
    await execute(pool, "UPDATE responses SET answered_at = now() - interval '2 days'")
    await execute(pool, f"UPDATE responses SET answered_at = now() WHERE survey_id = '{asked[0]}'")
    result = await zeroten("replay", "ours", "--since", since)
    assert result.output.startswith(f"{count} responses wait")
    assert len(await rows(pool, "SELECT FROM deliveries WHERE status = 'waiting'")) == count


@pytest.mark.parametrize("arguments", [[], ["--since", "yesterday"], ["--since", "999999999999d"]])
async def test_a_replay_of_nothing_in_particular_is_refused(zeroten: Command, arguments: list[str]) -> None:
    assert isinstance((await zeroten("replay", "ours", *arguments)).exception, StartError)


async def test_a_replay_lifts_the_hold(zeroten: Command, pool: Pool) -> None:
    await execute(
        pool,
        "INSERT INTO destinations (name, failures, reason, held_until) VALUES ('ours', 9, 'x', 'infinity')",
    )
    await zeroten("replay", "ours", "--refused")
    (found,) = await rows(pool, "SELECT held_until FROM destinations")
    assert found["held_until"] is None


# The file


def wrong(file: Path, content: Any) -> str:
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    result = CliRunner().invoke(cli, ["crm", "list"])
    assert isinstance(result.exception, StartError), result.output
    return str(result.exception)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "line 2: is not YAML: "),
        ("", "must hold keys with values"),
        ("- a", "must hold keys with values"),
        ({"Ours!": {}}, "Ours!: a name is"),
        ({"ours": "x"}, "ours: must be the destination's options"),
        ({"ours": {"connector": "fax"}}, "ours.connector: must be one of "),
        ({"ours": {"connector": "webhook", "secret": SECRET}}, "ours.url: is needed"),
        (
            {"ours": {"connector": "webhook", "url": "hooks.example", "secret": SECRET}},
            "ours.url: must be an address",
        ),
        (
            {"ours": {"connector": "webhook", "url": "https://x", "secret": "whsec_no"}},
            "ours.secret: must be whsec_",
        ),
        (
            {"ours": {"connector": "webhook", "url": "https://x", "secret": SECRET, "to": 1}},
            "ours.to: there is no such key here",
        ),
        ({"ours": {"connector": "webhook", "url": "${NOT_SET}"}}, "ours.url: the environment has no NOT_SET"),
        (
            {"ours": {"connector": "webhook", "url": "https://x", "secret": SECRET, "at_once": 0}},
            "ours.at_once: ",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, said: str
) -> None:
    file = tmp_path / "crm.yml"
    monkeypatch.setenv("ZEROTEN_CRM_FILE", str(file))
    told = wrong(file, content)
    assert told.startswith(f"{file}: ")
    assert said in told
    assert "whsec_" not in told.replace("must be whsec_ and", "")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROTEN_CRM_FILE", str(tmp_path / "none.yml"))
    result = CliRunner().invoke(cli, ["crm", "list"])
    assert isinstance(result.exception, StartError)
    assert "none.yml: whole file: cannot be read" in str(result.exception)


def test_secrets_come_from_the_environment_or_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"HOOK_SECRET={SECRET}\n")
    monkeypatch.setenv("HOST", "hooks.example")
    file = tmp_path / "crm.yml"
    file.write_text("ours: {connector: webhook, url: 'https://${HOST}/in', secret: '${HOOK_SECRET}'}")
    read = read_destinations(file, {"webhook": webhook.KIND})["ours"].options
    assert isinstance(read, WebhookOptions)
    assert (read.url, read.secret.get_secret_value()) == ("https://hooks.example/in", SECRET)
    assert SECRET not in repr(read)
