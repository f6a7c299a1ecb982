"""Recorded prompts: which files a language needs, where they come from, and which of them may be played."""

from app.prompts.importing import ImportOutcome, PromptImport
from app.prompts.inventory import load_prompts
from app.prompts.pieces import PromptPiece
from app.prompts.recorded import Clip, Prompts

__all__ = [
    "Clip",
    "ImportOutcome",
    "PromptImport",
    "PromptPiece",
    "Prompts",
    "load_prompts",
]
