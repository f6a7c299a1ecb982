"""Real services: a mail server, and receivers of web hooks, on the loopback."""

import asyncio
import email
import email.policy
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from app.alerts.message import AlertMessage
from app.alerts.services import AlertOutcomeUnknown, AlertRefused, AlertSent, AppriseService, understand
from app.web import UnsafeUrl
from tests.carrier.peer import Drip, Drop, Hang, Peer, Reply
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
MESSAGE = AlertMessage(
    "2 of 10 in <billing>", "Ewa <b>Nowak</b> & sons\nzażółć „gęślą”\nhttps://nps.example/api/v1/surveys/1"
)
SECRET = "TheSecretPathOfTheHook"


def service(url: str, *, private: bool = True, limit: float = 5) -> AppriseService:
    understood = understand(url, allow_private=private)
    return AppriseService(understood.plugin, understood.allow_private, limit)


def hook(peer: Peer, scheme: str = "json") -> str:
    return f"{peer.url.replace('http', scheme, 1)}/{SECRET}?rto=1"


class Inbox:
    """A mail server's messages; ``answer`` is what it says to them."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.answer


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    received = Inbox()
    port = free_port()
    controller = Controller(received, hostname="127.0.0.1", port=port)
    controller.start()
    yield received, f"mailto://127.0.0.1:{port}?to=ola@team.example&from=zeroten@team.example&mode=insecure"
    controller.stop()


async def test_a_mail_arrives_as_plain_text_with_its_lines(inbox: tuple[Inbox, str]) -> None:
    received, url = inbox
    assert await service(url).send(MESSAGE) == AlertSent()
    (mail,) = received.mails
    assert (mail["subject"], mail["to"]) == ("2 of 10 in <billing>", "ola@team.example")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == MESSAGE.body.splitlines()


async def test_a_mail_that_is_refused_may_be_sent_again(inbox: tuple[Inbox, str]) -> None:
    received, url = inbox
    received.answer = "451 4.3.0 Try again later, TheSecretOfTheServer"
    assert await service(url).send(MESSAGE) == AlertRefused("the mail server answered 451")
    received.answer = "250 OK"
    assert await service(url).send(MESSAGE) == AlertSent()


async def test_no_mail_server_is_a_failure_that_is_known() -> None:
    assert await service("mailto://127.0.0.1:1?to=a@b.example&from=c@d.example&mode=insecure").send(
        MESSAGE
    ) == AlertRefused("no connection to the service")


async def test_a_mail_server_that_breaks_off_after_the_message_may_have_taken_it() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            if line == b".\r\n":
                break
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
            elif line[:4].upper() in (b"EHLO", b"MAIL", b"RCPT"):
                writer.write(b"250 OK\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"mailto://127.0.0.1:{port}?to=a@b.example&from=c@d.example&mode=insecure"
        assert await service(url).send(MESSAGE) == AlertOutcomeUnknown(
            "the line broke before the service answered"
        )


async def test_a_json_hook_gets_title_and_body() -> None:
    async with Peer(Reply(200)) as peer:
        assert await service(hook(peer)).send(MESSAGE) == AlertSent()
    (seen,) = peer.seen
    posted = json.loads(seen.body)
    assert (posted["title"], posted["message"]) == (MESSAGE.title, MESSAGE.body)
    assert seen.target == f"/{SECRET}"


async def test_a_hook_like_slacks_gets_the_text_without_markup() -> None:
    async with Peer(Reply(200, b"ok")) as peer:
        url = f"mmost://127.0.0.1:{peer.url.rpartition(':')[2]}/{SECRET.lower()}?image=no"
        assert await service(url).send(MESSAGE) == AlertSent()
    (seen,) = peer.seen
    text = json.loads(seen.body)["text"]
    assert "zażółć „gęślą”" in text
    assert MESSAGE.title in text


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
async def test_an_answer_that_is_not_a_yes_is_a_failure_that_is_known(status: int) -> None:
    async with Peer(Reply(status, b"error=200 Read timed out")) as peer:
        outcome = await service(hook(peer)).send(MESSAGE)
    assert outcome == AlertRefused(f"the service answered {status}")


async def test_nobody_there_is_a_failure_that_is_known() -> None:
    assert await service("json://127.0.0.1:1/x").send(MESSAGE) == AlertRefused("no connection to the service")
    assert await service("json://nobody.invalid/x").send(MESSAGE) == AlertRefused(
        "no connection to the service"
    )


@pytest.mark.parametrize("behaviour", [Hang(), Drop()])
async def test_a_line_that_breaks_before_the_answer_leaves_it_unknown(behaviour: Hang | Drop) -> None:
    async with Peer(behaviour) as peer:
        outcome = await service(hook(peer)).send(MESSAGE)
    assert outcome == AlertOutcomeUnknown("the line broke before the service answered")


async def test_an_answer_without_end_is_not_waited_for_and_nothing_else_stands_still() -> None:
    async with Peer(Drip()) as peer:
        began, ticks = time.monotonic(), 0
        sending = asyncio.create_task(service(hook(peer), limit=1).send(MESSAGE))
        while not sending.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert await sending == AlertOutcomeUnknown("no answer within 1 seconds")
        assert time.monotonic() - began < 3
        assert ticks > 40


async def test_apprises_own_retries_are_not_used() -> None:
    async with Peer(Reply(500)) as peer:
        await service(hook(peer) + "&retry=3&wait=0").send(MESSAGE)
    assert len(peer.seen) == 1


async def test_a_message_too_long_for_a_service_is_cut_and_stays_one() -> None:
    async with Peer(Reply(200)) as peer:
        url = f"json://127.0.0.1:{peer.url.rpartition(':')[2]}/x?overflow=split"
        assert await service(url).send(AlertMessage("t", "long " * 20_000)) == AlertSent()
    assert len(peer.seen) == 1


# What is understood


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("mailto://user:pw@gmail.com?to=x@example.com", "E-Mail"),
        (
            "workflows://prod-1.westus.logic.azure.com:443/abcdef/sig",
            "Power Automate / Workflows (for MSTeams)",
        ),
    ],
)
def test_addresses_that_people_have_are_understood(url: str, kind: str) -> None:
    assert service(url).kind == kind


@pytest.mark.parametrize(
    "url", ["", "nope://secret", "slack://secret", "json://", "secret", "macosx://", "mailto://secret"]
)
def test_what_is_not_understood_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="no address that apprise understands") as refused:
        understand(url, allow_private=True)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["mailto://u:p@h.example?to=a@b.example,c@d.example", "slack://TokenA12/TokenB12/TokenC/#a/#b"]
)
def test_each_receiver_has_an_address_of_its_own(url: str) -> None:
    with pytest.raises(ValueError, match="several receivers"):
        understand(url, allow_private=True)


# Where messages may go


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/x",
        "jsons://localhost/x",
        "xml://10.0.0.8:8080/x",
        "mmost://192.168.1.1/abcdefabcdef",
        "json://169.254.169.254/latest",
        "json://[::1]/x",
        "mailto://u:p@team.example?smtp=127.0.0.1&to=a@b.example",
    ],
)
async def test_nothing_leaves_for_a_private_address(url: str) -> None:
    guarded = service(url, private=False)
    with pytest.raises(UnsafeUrl):
        await guarded.guard()
    assert await guarded.send(MESSAGE) == AlertRefused(
        "its host leads into a private network; see ZEROTEN_ALLOW_PRIVATE_URLS"
    )


async def test_services_whose_address_apprise_knows_are_not_asked_for_a_host() -> None:
    slack = service("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", private=False)
    assert slack.host is None
    await slack.guard()
    assert (
        service("mailto://u:p@team.example?smtp=mail.team.example&to=a@b.example").host == "mail.team.example"
    )


async def test_redirects_are_followed_by_nobody_unless_private_addresses_are_allowed() -> None:
    assert not service("json://hook.example/x?redirect=yes", private=False).plugin.redirects


# What is told


TELLS = f"""
import asyncio, sys
from app import logs
from app.alerts.message import AlertMessage
from app.alerts.services import understand
logs.set_up("debug")
async def send(url):
    print(await understand(url, allow_private=True).send(AlertMessage("t", "Ewa Nowak, +48221234567")))
try:
    understand("nope://{SECRET}", allow_private=True)
except ValueError as refused:
    print(refused)
for url in sys.argv[1:]:
    asyncio.run(send(url))
"""


async def test_no_address_and_no_message_reaches_any_log() -> None:
    """In a process of its own, because logging is the process's."""
    async with Peer(Reply(500, b"secret answer")) as failing, Peer(Drop()) as breaking:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", TELLS,
            hook(failing), hook(breaking), f"json://127.0.0.1:1/{SECRET}",
            f"mailto://me:{SECRET}@127.0.0.1:1?to=ola@team.example&from=me@team.example&mode=insecure",
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said = (await process.communicate())[0].decode()
    assert said.count("AlertRefused(") == 3
    assert said.count("AlertOutcomeUnknown(") == 1
    for private in (SECRET, "Nowak", "221234567", "ola@", "secret answer"):
        assert private not in said


def loaded(program: str) -> list[Any]:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\n{program}\nprint(sorted(set(sys.modules) & {{'apprise', 'requests'}}))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(found.stdout.replace("'", '"')))


def test_apprise_is_imported_only_where_somebody_is_to_be_told() -> None:
    assert "apprise" not in loaded("import app.alerts.alerts, app.cli.alerts")
    assert "apprise" in loaded(
        "from app.alerts.services import understand\nunderstand('json://a.example/x', allow_private=True)"
    )
