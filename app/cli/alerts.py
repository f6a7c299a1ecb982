"""``zeroten alerts``: what the alerts file says, whether its services can be reached, and what was sent."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.alerts import AlertsFile, Rule, read_alerts
from app.alerts.message import AlertMessage, AlertReader, as_test, of_one
from app.alerts.services import AlertOutcomeUnknown, AlertRefused, AlertSent, AppriseService, Outcome
from app.alerts.texts import texts
from app.config import Settings
from app.errors import StartError
from app.store import alerts
from app.store.alert_messages import AlertStory
from app.store.alerts import HeldFor, RecentAlert
from app.store.database import connected
from app.web import UnsafeUrl

alerts_cli = typer.Typer(no_args_is_help=True, help="Alerts to people.")
console = Console()
WAITS: dict[HeldFor, str] = {
    "digest": "for its digest",
    "quiet_hours": "for the end of quiet hours",
    "storm": "for the end of a storm",
}


@alerts_cli.command()
def check(context: typer.Context) -> None:
    """Read the alerts file, say each rule in a sentence, and whether each service is understood. Sends nothing."""
    settings: Settings = context.obj()
    read = _read(settings)
    unsafe = False
    for name, service in read.services.items():
        problem = asyncio.run(_problem(service))
        unsafe = unsafe or problem is not None
        operators = ", an operator" if name in read.rulebook.operators else ""
        _say(f"{name}: {service.kind}{operators}{f': {problem}' if problem else ''}")
    for rule in read.rulebook.rules:
        _say(f"{rule.name}: {sentence(rule)}")
    storm = read.rulebook.storm
    minutes = storm.within // timedelta(minutes=1)
    within = "1 minute" if minutes == 1 else f"{minutes} minutes"
    _say(f"More than {storm.more_than} alerts to one recipient within {within} become one message.")
    if unsafe:
        raise typer.Exit(1)


@alerts_cli.command()
def test(
    context: typer.Context, rule: Annotated[str, typer.Argument(help="The name of a rule of the file.")]
) -> None:
    """Send a marked test alert to everyone whom this rule tells, whatever the hour, and say what happened."""
    settings: Settings = context.obj()
    read = _read(settings)
    chosen = read.rulebook.rule(rule)
    if chosen is None:
        names = ", ".join(each.name for each in read.rulebook.rules) or "none"
        raise StartError(f"{settings.alerts_file}: rules: there is no rule {rule}; there are: {names}")
    message, failed = _sample(chosen, settings, datetime.now(UTC)), False
    for name in chosen.to:
        service = read.services[name]
        outcome = asyncio.run(service.send(message))
        failed = failed or outcome != AlertSent()
        _say(f"{name} ({service.kind}): {_happened(outcome)}")
    if failed:
        raise typer.Exit(1)


@alerts_cli.command("list")
def list_alerts(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """Show recent alerts, and how each one stands."""
    settings: Settings = context.obj()

    async def read() -> list[RecentAlert]:
        async with connected(settings) as connection:
            return await alerts.recent(connection, count)

    zone = ZoneInfo(settings.reporting_timezone)
    table = Table("When", "Recipient", "Rule", "Answer", "State")
    for alert in asyncio.run(read()):
        about = f"{alert.score} in {alert.queue}\n{alert.survey_id}" if alert.survey_id else "alarm"
        when = f"{alert.created_at.astimezone(zone):%Y-%m-%d %H:%M}"
        table.add_row(
            when, *map(escape, (alert.recipient, alert.rule or "operators", about, _state(alert, zone)))
        )
    console.print(table)


def sentence(rule: Rule) -> str:
    """What a rule does, as one would say it."""
    said = "; ".join(_conditions(rule)) or "every answer"
    at = ", ".join(f"{each:%H:%M}" for each in rule.digest_at)
    how = f"in a digest at {at}" if rule.digest_at else "at once"
    quiet = rule.quiet_hours
    held = f", held from {quiet.begin:%H:%M} until {quiet.end:%H:%M}" if quiet else ""
    clock = f" ({rule.zone.key})" if rule.digest_at or quiet else ""
    phone = ", with the customer's number" if rule.phone else ""
    return f"{said}. Tells {', '.join(rule.to)} {how}{held}{clock}, in {rule.language}{phone}."


def _conditions(rule: Rule) -> Iterator[str]:
    listed: dict[str, list[str]] = {
        "queues": sorted(rule.queues),
        "bands": sorted(rule.bands),
        "scores": [str(each) for each in sorted(rule.scores)],
        "languages": sorted(rule.languages),
        "words": [] if rule.words is None else list(rule.words.written),
    }
    for name, values in listed.items():
        if values:
            yield f"{name} {', '.join(values)}"
    if rule.callback is not None:
        yield "a call back was asked for" if rule.callback else "a call back was declined"


def _read(settings: Settings) -> AlertsFile:
    if settings.alerts_file is None:
        raise StartError("ZEROTEN_ALERTS_FILE names no file; set it first")
    return read_alerts(settings.alerts_file, settings)


async def _problem(service: AppriseService) -> str | None:
    try:
        await service.guard()
    except UnsafeUrl as unsafe:
        return str(unsafe)
    return None


def _sample(rule: Rule, settings: Settings, now: datetime) -> AlertMessage:
    """An alert of this rule about nobody."""
    wording = texts(rule.language)
    story = AlertStory(
        survey_id=UUID(int=0),
        rule=rule.name,
        queue=min(rule.queues, default="billing"),
        agent="anna",
        channel="voice",
        score=min(rule.scores, default=2),
        band="detractor",
        comment=wording.sample,
        comment_source="text",
        callback=True,
        answered_at=now - timedelta(minutes=5),
        name="Jan Test",
        crm_id="TEST-1",
        phone="+48000000000",
    )
    reader = AlertReader(wording, rule.zone, now, settings.public_url)
    return as_test(of_one(story, reader, phone=rule.phone), wording)


def _happened(outcome: Outcome) -> str:
    match outcome:
        case AlertSent():
            return "sent; the service took it"
        case AlertRefused(reason):
            return f"not sent: {reason}"
        case AlertOutcomeUnknown(reason):
            return f"nobody knows whether it arrived: {reason}"
        case _:
            assert_never(outcome)


def _state(alert: RecentAlert, zone: ZoneInfo) -> str:
    reason = f": {alert.reason}" if alert.reason else ""
    match alert.status:
        case "waiting":
            waits = f" {WAITS[alert.held_for]}" if alert.held_for else ""
            return f"waiting{waits} until {alert.due_at.astimezone(zone):%H:%M}{reason}"
        case "sent" | "unknown" | "failed":
            at = f" {alert.ended_at.astimezone(zone):%H:%M}" if alert.ended_at else ""
            tries = f" after {alert.tries} tries" if alert.tries > 1 else ""
            return f"{alert.status}{at}{tries}{reason}"
        case _:
            return alert.status


def _say(line: str) -> None:
    console.print(escape(line), highlight=False, soft_wrap=True)
