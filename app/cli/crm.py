"""``zeroten crm``: where responses are pushed to, whether that works, and how to push them again."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.config import Settings
from app.crm import ConfiguredCrm, chosen_destinations
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord, StartError
from app.ports import Crm, CrmIdentity, ResponseToPush
from app.services import CRMS
from app.store import deliveries, destinations, pushes
from app.store.database import connected
from app.survey import band
from app.web import GuardedHttp, tls

crm_cli = typer.Typer(no_args_is_help=True, help="The systems that responses are pushed to.")
console = Console()
TEST_COMMENT = "This is a test by Zeroten. Please ignore it."

_FOLLOWS: Mapping[type[CrmError], str] = {
    CrmRefused: "Refused",
    NoRecord: "Refused, there is no record of theirs",
    CrmMisconfigured: "Credentials or mapping",
    CrmBusy: "Busy",
}

Name = Annotated[str, typer.Argument(help="The destination, as the CRM file names it.")]
Since = Annotated[
    str | None, typer.Option(help="A day such as 2026-11-01, a time, or how long ago: 90m, 24h, 7d.")
]


@crm_cli.command("list")
def list_destinations(context: typer.Context) -> None:
    """Show how each destination does, and how much waits for it."""
    settings: Settings = context.obj()

    async def read() -> list[destinations.DestinationStatus]:
        async with connected(settings) as connection:
            return await destinations.overview(connection, list(chosen_destinations(settings, CRMS)))

    table = Table("Destination", "Waiting", "Delivered", "Refused", "Last delivered", "In trouble")
    for standing in asyncio.run(read()):
        table.add_row(
            standing.name,
            f"{standing.waiting:,}",
            f"{standing.delivered:,}",
            f"{standing.refused:,}",
            _when(standing.last_delivered_at),
            escape(f"since {_when(standing.failing_since)}: {standing.reason}")
            if standing.failing_since
            else "",
        )
    console.print(table)


@crm_cli.command("test")
def push_test(
    context: typer.Context,
    name: Name,
    crm_id: Annotated[str | None, typer.Option(help="The record to attach the test to.")] = None,
    email: Annotated[str | None, typer.Option(help="The e-mail by which it is found.")] = None,
    phone: Annotated[str | None, typer.Option(help="The number by which it is found.")] = None,
    score: Annotated[int, typer.Option(min=0, max=10, help="The score of the test.")] = 9,
) -> None:
    """Push a marked test response, twice as the second push must change nothing, and say what was seen."""
    settings: Settings = context.obj()
    chosen = _chosen(settings, name)
    raise typer.Exit(
        asyncio.run(_test(settings, chosen, an_answer(CrmIdentity(crm_id, email, phone, "Test"), score)))
    )


async def _test(settings: Settings, chosen: ConfiguredCrm, answer: ResponseToPush) -> int:
    async with httpx.AsyncClient(verify=tls()) as http:
        crm = chosen.connect(GuardedHttp(http, settings.allow_private_urls))
        try:
            if problems := await crm.check():
                for problem in problems:
                    console.print(f"[red]✗[/red] {escape(problem)}")
                return 1
            console.print("[green]✓[/green] No mistake was found in its options and fields.")
            remote_id = await _push(crm, answer)
            again = await _push(crm, ResponseToPush(**vars(answer) | {"remote_id": remote_id}))
        except CrmError as problem:
            console.print(f"[red]✗[/red] {_FOLLOWS[type(problem)]}: {escape(str(problem))}")
            return 1
    same = "the same record, as it should be" if again == remote_id else f"another record, {again}"
    mark = "[green]✓[/green]" if again == remote_id else "[red]✗[/red]"
    console.print(f"{mark} Pushed again, it is {escape(same)}.")
    console.print(f"The test is marked: {escape(TEST_COMMENT)} Survey {answer.survey_id}.")
    return 0 if again == remote_id else 1


async def _push(crm: Crm, answer: ResponseToPush) -> str:
    began = time.monotonic()
    (remote_id,) = await crm.push([answer])
    console.print(
        f"[green]✓[/green] It took the test as {escape(remote_id)} in {time.monotonic() - began:.2f} s."
    )
    return remote_id


@crm_cli.command()
def replay(
    context: typer.Context,
    name: Name,
    since: Since = None,
    survey: Annotated[UUID | None, typer.Option(help="One survey's response.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only those that were refused.")] = False,
) -> None:
    """Have responses pushed again by the workers; what is there already is brought up to date, not doubled."""
    settings: Settings = context.obj()
    if since is None and survey is None and not refused:
        raise StartError("say which: --since 24h, --survey ID or --refused")
    chosen, began = _chosen(settings, name), None if since is None else _time(since)

    async def run() -> int:
        async with connected(settings) as connection, connection.transaction():
            return await deliveries.replay(
                connection, name, chosen.options.queues, began, survey, refused=refused
            )

    console.print(f"{asyncio.run(run()):,} responses wait to be pushed to {name}; a worker does it.")


@crm_cli.command("log")
def show_log(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The destination; none: all of them.")] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 30,
) -> None:
    """Show the newest pushes and how each ended."""
    settings: Settings = context.obj()
    began = None if since is None else _time(since)

    async def read() -> list[pushes.Push]:
        async with connected(settings) as connection:
            return await pushes.read_log(connection, name, None, began, limit)

    newest = asyncio.run(read())
    if not newest and name is not None:
        _chosen(settings, name)
    if not newest:
        console.print("Nothing was pushed.")
    for push in newest:
        event, why = push.event.removeprefix("response."), f": {push.reason}" if push.reason else ""
        console.print(
            f"{_when(push.at)}  {push.destination}  {push.survey_id}  {event}  {push.outcome} in"
            f" {push.seconds:.2f} s{why}",
            soft_wrap=True, markup=False, highlight=False,
        )  # fmt: skip


def an_answer(customer: CrmIdentity, score: int) -> ResponseToPush:
    """A test response, marked as one in its comment and by its interaction's id."""
    survey_id = uuid4()
    columns: dict[str, Any] = {
        "interaction_id": f"zeroten-test-{survey_id}",
        "survey_id": str(survey_id),
        "crm_id": customer.crm_id,
        "queue": "zeroten-test",
        "agent": "zeroten-test",
        "channel": "voice",
        "language": "en",
        "score": score,
        "band": band(score),
        "comment": TEST_COMMENT,
        "answered_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "flow_version": "test",
        "attributes": {},
    }
    return ResponseToPush(survey_id, "response.completed", 1, columns, customer, callback=False)


def _chosen(settings: Settings, name: str) -> ConfiguredCrm:
    chosen = chosen_destinations(settings, CRMS)
    if name not in chosen:
        known = ", ".join(chosen) or "none; ZEROTEN_CRM_FILE or ZEROTEN_WEBHOOK_URL names them"
        raise StartError(f"there is no destination {name}; there is {known}")
    return chosen[name]


def _time(text: str) -> datetime:
    units = {"m": "minutes", "h": "hours", "d": "days"}
    try:
        if text[:-1].isdigit() and text[-1:] in units:
            return datetime.now(UTC) - timedelta(**{units[text[-1]]: int(text[:-1])})
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise StartError(f"--since: {text} is neither a time nor how long ago, such as 24h") from None
    return given if given.tzinfo else given.astimezone()


def _when(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
