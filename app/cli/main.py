"""The ``zeroten`` command."""

import asyncio
import sys
from codecs import lookup
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.chatbot import WrittenChannel, messages
from app.cli.alerts import alerts_cli
from app.cli.crm import crm_cli
from app.cli.doctor import run_doctor
from app.cli.models import models_cli
from app.cli.prompts import prompts_cli
from app.cli.timing import timing_table
from app.config import Settings, load_flows, refused_setting
from app.demo.run import CUSTOMERS_AT_MOST
from app.demo.run import run as run_demo
from app.errors import StartError
from app.ivr import Voice
from app.process import run
from app.prompts import Prompts
from app.rehearsal.people import Speaker
from app.rehearsal.terminal import read_from, read_keyboard
from app.rehearsal.terminal import rehearse as rehearse_flow
from app.rehearsal.terminal_messages import Compose, rehearse_messages
from app.store import keys
from app.store.database import connected as database
from app.survey import Flows, Turn, Wording
from app.web import SCOPES, Scope
from app.web.access import create

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Zeroten asks the 0-10 question.",
)
keys_cli = typer.Typer(no_args_is_help=True, help="API keys.")
cli.add_typer(keys_cli, name="keys")
cli.add_typer(prompts_cli, name="prompts")
cli.add_typer(models_cli, name="models")
cli.add_typer(crm_cli, name="crm")
cli.add_typer(alerts_cli, name="alerts")
console = Console()

RehearsedChannel = Literal["voice", "sms", "whatsapp", "chat"]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on.")]


def main() -> None:
    """Run the command; what keeps it from starting is said in one sentence."""
    _speak_every_language()
    try:
        cli()
    except StartError as error:
        sys.exit(f"zeroten: {error}")


def _speak_every_language() -> None:
    """Where the machine's locale knows ASCII only, write and read UTF-8; nothing that is said may end in an error."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            plain = lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if plain else None, errors="replace")


def read_settings() -> Settings:
    """The settings, or `StartError` naming each key that is wrong; the values themselves are not repeated."""
    try:
        return Settings()
    except ValidationError as wrong:
        raise refused_setting(wrong, "ZEROTEN_") from None


@cli.callback()
def prepare(context: typer.Context) -> None:
    """Zeroten asks the 0-10 question."""
    context.obj = read_settings


@cli.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the web application and a worker in one process."""
    run(read_settings(), (host, port), worker=True)


@cli.command()
def web(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the web application alone; any number of these may run."""
    run(read_settings(), (host, port), worker=False)


@cli.command()
def worker() -> None:
    """Run a worker alone; any number of these may run."""
    run(read_settings(), None, worker=True)


@cli.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    customers: Annotated[
        int, typer.Option(min=0, max=CUSTOMERS_AT_MOST, help="How many calls are rehearsed.")
    ] = 400,
    spoken: Annotated[
        bool, typer.Option("--spoken", help="One more call is answered aloud, and heard on this machine.")
    ] = False,
    voice_recordings: Annotated[
        Path | None, typer.Option(help="With --spoken: recordings, such as 0.wav to 10.wav and comment.mp3.")
    ] = None,
    voice: Annotated[
        str | None, typer.Option(help="With --spoken: espeak-ng:<voice>, or piper:<model file>.onnx.")
    ] = None,
    language: Annotated[str, typer.Option(help="With --spoken: the language of that call.")] = "en",
) -> None:
    """Run the main job with a local carrier, rehearsed customers, and a phone in the browser."""
    speaker = Speaker(language, voice_recordings, voice) if spoken else None
    run_demo(read_settings(), (host, port), customers, speaker)


@cli.command()
def rehearse(
    flow: Annotated[Path, typer.Argument(help="A flow file.")] = Path("flows/nps.yml"),
    language: Annotated[str, typer.Option(help="The language to be called in.")] = "en",
    brand: Annotated[str, typer.Option(help="Whom the survey asks about.")] = "Northwind",
    script: Annotated[
        str | None, typer.Option(help='Answers instead of typing: "9# | cheap and fast".')
    ] = None,
    channel: Annotated[RehearsedChannel, typer.Option(help="How the customer is asked.")] = "voice",
    timing: Annotated[
        bool, typer.Option("--timing", help="Print how many seconds a call takes, and end.")
    ] = False,
) -> None:
    """Play a flow in the terminal: read what the customer hears or reads, and type keys or words."""
    flows = load_flows(flow.parent)
    if flow.stem not in flows:
        raise StartError(f"{flow}: there is no flow {flow.stem} in it")
    chosen = flows[flow.stem]
    if timing:
        prompts = Prompts.load(read_settings().prompts_dir)
        print("\n".join(timing_table(chosen, brand, prompts)))
        return
    if language not in chosen.languages:
        raise StartError(f"--language: {language} is not one of {', '.join(sorted(chosen.languages))}")
    read = read_keyboard if script is None else read_from(script)
    if channel == "voice":
        voice = Voice(Flows({chosen.id: chosen}))
        facts = list(asyncio.run(rehearse_flow(chosen, language, voice, brand=brand, read=read, write=print)))
    else:
        facts = rehearse_messages(
            chosen, language, composing(channel), brand=brand, billed=channel == "sms", read=read, write=print
        )
    for fact in facts:
        console.print(f"[dim]{fact}[/dim]", highlight=False)


def composing(channel: WrittenChannel) -> Compose:
    """How this channel writes a turn."""

    def compose(turn: Turn, wording: Wording) -> list[tuple[str, list[str]]]:
        written = messages(turn, wording, channel)
        return [(each.text, [button.title for button in each.buttons]) for each in written]

    return compose


@keys_cli.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whom or what the key is for.")],
    scope: Annotated[str, typer.Option(help=f"One of {', '.join(SCOPES)}.")],
) -> None:
    """Make an API key. It is printed once; only its digest is kept."""
    chosen: Scope | None = next((each for each in SCOPES if each == scope), None)
    if chosen is None:
        raise typer.BadParameter(f"must be one of {', '.join(SCOPES)}", param_hint="--scope")

    async def make(settings: Settings) -> str:
        async with database(settings) as connection:
            return await create(connection, name, chosen)

    print(asyncio.run(make(read_settings())))


@keys_cli.command("list")
def list_keys() -> None:
    """Show the keys that are in force."""

    async def read(settings: Settings) -> list[keys.StoredKey]:
        async with database(settings) as connection:
            return await keys.read_all(connection)

    table = Table("id", "name", "scope")
    for key in asyncio.run(read(read_settings())):
        table.add_row(key.id, key.name, key.scope)
    console.print(table)


@keys_cli.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id, as `zeroten keys list` shows it.")],
) -> None:
    """Take a key out of force."""

    async def revoke(settings: Settings) -> bool:
        async with database(settings) as connection:
            return await keys.revoke(connection, key_id)

    if not asyncio.run(revoke(read_settings())):
        raise StartError(f"there is no key {key_id} in force")


@cli.command()
def doctor() -> None:
    """Say what is missing, and how to get it."""
    raise typer.Exit(run_doctor(read_settings()))
