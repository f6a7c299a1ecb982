"""``zeroten models``: what each language can be heard with on this machine, and how it gets there."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.asr import models
from app.asr.vosk import Vosk, is_model
from app.asr.whisper import Whisper
from app.config import Settings, load_flows
from app.errors import RecogniserError, StartError

models_cli = typer.Typer(no_args_is_help=True, help="Models of our own recognisers.")
console = Console()


@models_cli.command("list")
def list_models(context: typer.Context) -> None:
    """Show what hears each language, and what is missing. Loads every model there is."""
    settings: Settings = context.obj()
    vocabularies = load_flows(settings.flows_dir).vocabularies
    vosk, whisper = Vosk(settings.vosk_models, vocabularies), Whisper(settings.whisper_model, vocabularies)
    table = Table("Language", "Vosk: scores, comments", "Whisper: comments, and scores where Vosk lacks")
    for language in sorted(vocabularies):
        table.add_row(language, escape(_vosk(vosk, language)), escape(_whisper(whisper, language)))
    console.print(table)


@models_cli.command()
def install(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="An archive or a directory here, or an https address.")],
    language: Annotated[str | None, typer.Option(help="The language of a Vosk model, such as pl.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The archive's checksum; a download needs it.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of the one that is there.")
    ] = False,
) -> None:
    """Install a Vosk model for a language, or, without one, the Whisper model."""
    settings: Settings = context.obj()
    target = _target(settings, language)
    models.install(source, target, sha256, replace=replace)
    right = is_model(target) if language else models.is_whisper(target)
    if not right:
        raise StartError(
            f"{target} now holds {'a Whisper' if language else 'a Vosk'} model; --language is for Vosk's"
        )
    console.print(f"{target}: {models.size(target) / 1e6:.0f} MB", highlight=False)


def _target(settings: Settings, language: str | None) -> Path:
    if language is None:
        if settings.whisper_model is None:
            raise StartError(
                "ZEROTEN_WHISPER_MODEL says where the Whisper model goes; --language is for a Vosk model"
            )
        return settings.whisper_model
    if settings.vosk_models is None:
        raise StartError("ZEROTEN_VOSK_MODELS says where models go; set it first")
    if language not in load_flows(settings.flows_dir).vocabularies:
        raise StartError(f"--language: no flow speaks {language}")
    return settings.vosk_models / language


def _vosk(vosk: Vosk, language: str) -> str:
    reason = vosk.lacks(language, "score")
    if reason is not None:
        return f"lacks: {reason}"
    try:
        grammar = vosk.grammar(language, "score")
    except RecogniserError as problem:
        return f"lacks: {problem}"
    reason = vosk.lacks(language, "score")
    if reason is not None:
        return f"lacks: {reason}; comments: ready"
    missing = f"; does not know {', '.join(grammar.missing[:8])}" if grammar.missing else ""
    more = f" and {len(grammar.missing) - 8} more" if len(grammar.missing) > 8 else ""
    return f"{len(grammar.phrases)} phrases{missing}{more}"


def _whisper(whisper: Whisper, language: str) -> str:
    reason = whisper.lacks(language, "comment")
    return "ready" if reason is None else f"lacks: {reason}"
