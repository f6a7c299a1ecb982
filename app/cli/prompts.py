"""``zeroten prompts``: what is recorded, what is not, and how it gets there."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.audio import TARGET_DB, Shaped, UnusableSound, read_channels
from app.config import Settings, load_flows
from app.errors import StartError
from app.prompts import ImportOutcome, PromptImport, PromptPiece, Prompts, inventory, rendering
from app.prompts.importing import warnings
from app.prompts.sheet import Form, sheet
from app.survey import Flow

prompts_cli = typer.Typer(no_args_is_help=True, help="Recorded prompts.")
# What is not read on a screen is searched and cut into columns, so its lines are not broken.
console = Console(width=None if sys.stdout.isatty() else 300)

Language = Annotated[str, typer.Option(help="The language, such as en.")]
Brands = Annotated[
    list[str] | None,
    typer.Option("--brand", help="A brand the survey asks about, for each that queues have."),
]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite what is there.")]
NUMERIC, WORDY = {"Seconds", "Cut", "Gain", "dBFS"}, {"Text", "Remarks"}
COLOURS = {
    "recorded": "green",
    "placeholder": "yellow",
    "unchecked": "yellow",
    "stale": "red",
    "unusable": "red",
}


@dataclass(frozen=True)
class PromptsCommand:
    """The directory of prompts, the flows and the brands that a command works with."""

    directory: Path
    flows: Mapping[str, Flow]
    brands: list[str]

    @classmethod
    def of(cls, context: typer.Context, brands: list[str] | None) -> "PromptsCommand":
        """The settings' directory and flows; the settings' brand unless some are named."""
        settings: Settings = context.obj()
        return cls(settings.prompts_dir, load_flows(settings.flows_dir), brands or [settings.brand])

    @property
    def languages(self) -> list[str]:
        """The languages that some flow speaks, in the order of their codes."""
        return sorted({each for flow in self.flows.values() for each in flow.languages})

    def needed(self, language: str) -> Mapping[str, PromptPiece]:
        """The files that a language needs; raises `StartError` for one that no flow speaks."""
        if language not in self.languages:
            raise StartError(f"--language: {language} is not one of {', '.join(self.languages)}")
        return inventory.needed_by(self.flows.values(), language, self.brands)

    def importing(self, language: str) -> PromptImport:
        """The import into a language's directory. Raises `StartError` as `needed` does."""
        return PromptImport(self.directory / language, self.needed(language))


@prompts_cli.command("list")
def list_prompts(
    context: typer.Context,
    language: Annotated[str | None, typer.Option(help="One language; none: all.")] = None,
    brand: Brands = None,
) -> None:
    """Show what each language needs, and what of it there is."""
    command = PromptsCommand.of(context, brand)
    prompts = Prompts.load(command.directory)
    for shown in [language] if language else command.languages:
        items = inventory.take_stock(prompts, command.directory, shown, command.needed(shown))
        console.print(_stock(items))
        counts = Counter(item.status for item in items)
        console.print(f"{shown}: {', '.join(f'{count} {status}' for status, count in counts.items())}\n")


@prompts_cli.command("sheet")
def print_sheet(
    context: typer.Context,
    language: Language,
    brand: Brands = None,
    form: Annotated[str, typer.Option("--format", help="csv or markdown.")] = "csv",
    missing: Annotated[bool, typer.Option("--missing", help="Only what no person has recorded yet.")] = False,
) -> None:
    """Print the sheet that a voice actor reads from."""
    command = PromptsCommand.of(context, brand)
    wanted = command.needed(language)
    if missing:
        items = inventory.take_stock(Prompts.load(command.directory), command.directory, language, wanted)
        done = {item.name for item in items if item.status == "recorded"}
        wanted = {name: piece for name, piece in wanted.items() if name not in done}
    forms: dict[str, Form] = {"csv": "csv", "markdown": "markdown"}
    if form not in forms:
        raise StartError(f"--format: {form} is not csv or markdown")
    sys.stdout.write(sheet(wanted.values(), forms[form]))


@prompts_cli.command("import")
def import_prompts(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            help="A directory of recordings (WAV, MP3, Ogg, M4A, FLAC), named as the sheet names them."
        ),
    ],
    language: Language,
    brand: Brands = None,
    replace: Replace = False,
) -> None:
    """Take recordings in: 8 kHz mono, without silence around them, all of the same loudness."""
    if not source.is_dir():
        raise StartError(f"{source}: there is no such directory")
    outcomes = list(PromptsCommand.of(context, brand).importing(language).take_in(source, replace=replace))
    console.print(_report(outcomes))
    counts = Counter(each.status for each in outcomes)
    summary = ", ".join(f"{counts[status]} {status}" for status in ("imported", "kept", "refused"))
    console.print(
        f"{summary}; levelled to {TARGET_DB:g} dBFS of active speech. A running Zeroten reads them when it restarts."
    )
    raise typer.Exit(1 if counts["refused"] or not outcomes else 0)


@prompts_cli.command("render")
def render_prompts(
    context: typer.Context,
    language: Language,
    voice: Annotated[str, typer.Option(help="espeak-ng:<voice>, or piper:<model file>.onnx.")],
    brand: Brands = None,
    replace: Annotated[bool, typer.Option("--replace", help="Renew placeholders; recordings stay.")] = False,
) -> None:
    """Let an offline voice speak what nobody has recorded: placeholders to try a flow with."""
    command = PromptsCommand.of(context, brand)
    importing, speak = command.importing(language), rendering.voice(voice)
    items = inventory.take_stock(
        Prompts.load(command.directory), command.directory, language, importing.needed
    )
    renewed = {"missing", "placeholder"} if replace else {"missing"}
    names = [
        item.name for item in items if item.status in renewed or (replace and _outdated_placeholder(item))
    ]
    for name in names:
        piece = importing.needed[name]
        try:
            shaped = importing.keep(piece, read_channels(speak(piece.text)), rendering.label(voice))
        except UnusableSound as error:
            raise StartError(f"{name}: what {voice} made {error}") from None
        console.print(
            f"{name}: {_measures(shaped)} {'; '.join(warnings(piece.text, shaped))}", highlight=False
        )
    console.print(f"{len(names)} rendered, {len(importing.needed) - len(names)} left as they are.")


@prompts_cli.command("accept")
def accept_prompts(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Files, without .wav.")],
    language: Language,
    brand: Brands = None,
) -> None:
    """Declare, after listening, that files say what the wording says today."""
    importing = PromptsCommand.of(context, brand).importing(language)
    unknown = [name for name in names if name not in importing.needed or not importing.path(name).is_file()]
    if unknown:
        raise StartError(f"{unknown[0]}: there is no such file, or the wording does not need it")
    for name in names:
        importing.accept(importing.needed[name])


def _outdated_placeholder(item: inventory.StockedPrompt) -> bool:
    entry = item.clip.entry if item.clip else None
    return item.status == "stale" and entry is not None and not entry.recorded


def _stock(items: list[inventory.StockedPrompt]) -> Table:
    table = _table("File", "Status", "Seconds", "dBFS", "Text")
    for item in items:
        colour = COLOURS.get(item.status, "dim")
        level = item.level_db
        table.add_row(
            item.name,
            f"[{colour}]{item.status}[/{colour}]",
            "" if item.clip is None else f"{item.clip.sound.seconds:.1f}",
            "" if level is None else f"{level:.1f}",
            escape(f"{item.text}{f' ({item.remark})' if item.remark else ''}"),
        )
    return table


def _report(outcomes: list[ImportOutcome]) -> Table:
    table = _table("File", "", "Seconds", "Cut", "Gain", "dBFS", "Remarks")
    for outcome in outcomes:
        remarks = "; ".join(filter(None, (outcome.reason, *outcome.warnings)))
        if outcome.shaped is None:
            table.add_row(outcome.file, outcome.status, "", "", "", "", remarks)
            continue
        made = outcome.shaped
        table.add_row(
            outcome.file,
            outcome.status,
            f"{made.sound.seconds:.1f}",
            f"{made.cut_seconds:.1f}",
            f"{made.level_db - made.found_db:+.1f} dB",
            f"{made.level_db:.1f}",
            remarks,
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        numeric = heading in NUMERIC
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=heading not in WORDY)
    return table


def _measures(shaped: Shaped) -> str:
    return f"{shaped.sound.seconds:.1f} s at {shaped.level_db:.1f} dBFS"
