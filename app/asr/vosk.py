"""Vosk: a grammar of the expected words for scores and yes or no, free speech for comments.

One model per language, ``<directory>/<language>/``; https://alphacephei.com/vosk/models has them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from threading import Lock
from typing import Any

import structlog

from app.asr import grammar
from app.asr.grammar import UNKNOWN, Grammar
from app.asr.thresholds import FORCED_LEAST, GUESS, PARTLY_UNKNOWN
from app.audio import TELEPHONE_RATE
from app.errors import RecogniserError
from app.ports import Utterance
from app.survey import AskKind, Vocabulary, Words

log = structlog.get_logger(__name__)
# What every model consists of.
PARTS = ("am", "conf")


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A language's model, and what of its grammars the model can hear."""

    model: Any
    knows_unknown: bool
    grammars: Mapping[AskKind, Grammar]
    deaf_to: tuple[int, ...]


@dataclass(eq=False)
class Vosk:
    """Recognises with the models in ``directory``; each is loaded once, when it is first needed, and stays loaded."""

    directory: Path | None
    vocabularies: Mapping[str, Vocabulary]
    name: str = "vosk"
    streams_per_thread: int = 15
    _loaded: dict[str, _Loaded] = field(default_factory=dict)
    _loading: Lock = field(default_factory=Lock)

    def lacks(self, language: str, kind: AskKind) -> str | None:
        """What is missing: the setting, the library, the model or the language's words."""
        if language in self._loaded:
            return _deafness(self._loaded[language], kind)
        if self.directory is None:
            return "ZEROTEN_VOSK_MODELS is not set"
        if language not in self.vocabularies:
            return f"no flow speaks {language}"
        if not is_model(self.directory / language):
            return f"{self.directory / language} has no Vosk model"
        if find_spec("vosk") is None:
            return "vosk is not installed; requirements/speech.txt has it"
        return None

    def begin(self, language: str, kind: AskKind) -> Utterance:
        """A recogniser for one stretch of speech: half a millisecond with a grammar, 120 ms for free speech."""
        from vosk import KaldiRecognizer  # noqa: PLC0415 - an extra

        loaded = self._load(language)
        deafness = _deafness(loaded, kind)
        if deafness is not None:
            raise RecogniserError(deafness)
        if kind == "comment":
            kaldi = KaldiRecognizer(loaded.model, TELEPHONE_RATE)
        else:
            listed = list(loaded.grammars[kind].phrases)
            # Escaped, every word with a letter outside ASCII would be dropped without a word.
            kaldi = KaldiRecognizer(loaded.model, TELEPHONE_RATE, json.dumps(listed, ensure_ascii=False))
        kaldi.SetWords(True)
        return _VoskUtterance(kaldi, kind, forced=kind != "comment" and not loaded.knows_unknown)

    def grammar(self, language: str, kind: AskKind) -> Grammar:
        """What the language's model can hear of the words that answer such a question. Loads the model."""
        return self._load(language).grammars[kind]

    def _load(self, language: str) -> _Loaded:
        # Loading takes a second or two; whoever comes second waits for it instead of loading it again.
        with self._loading:
            if language not in self._loaded:
                reason = self.lacks(language, "score")
                if reason is not None:
                    raise RecogniserError(reason)
                assert self.directory is not None
                self._loaded[language] = _read(self.directory / language, self.vocabularies[language])
            return self._loaded[language]


def is_model(directory: Path) -> bool:
    """Whether this looks like a Vosk model's directory."""
    return all((directory / part).is_dir() for part in PARTS)


def _read(directory: Path, vocabulary: Vocabulary) -> _Loaded:
    from vosk import Model, SetLogLevel  # noqa: PLC0415 - an extra

    SetLogLevel(-1)
    try:
        # Only by its path: by name or language the library would go and download one.
        model = Model(model_path=str(directory.resolve()))
    except Exception as problem:
        raise RecogniserError(f"{directory} cannot be loaded: {problem}") from problem

    def knows(word: str) -> bool:
        return bool(model.vosk_model_find_word(word) >= 0)

    kinds: tuple[AskKind, ...] = ("score", "yes_no")
    grammars = {kind: grammar.within(grammar.phrases(vocabulary, kind), knows) for kind in kinds}
    log.info(
        "vosk_model_loaded",
        language=vocabulary.language,
        phrases=len(grammars["score"].phrases),
        missing=len(grammars["score"].missing),
    )
    heard = set(grammars["score"].phrases)
    deaf_to = tuple(score for score, forms in vocabulary.scores.items() if heard.isdisjoint(forms))
    return _Loaded(model, knows(UNKNOWN), grammars, deaf_to)


def _deafness(loaded: _Loaded, kind: AskKind) -> str | None:
    """A model without a word for some score would hear another one in its place."""
    if kind == "comment" or not loaded.deaf_to:
        return None
    return f"the Vosk model knows no word for {', '.join(map(str, loaded.deaf_to))}"


class _VoskUtterance:
    def __init__(self, kaldi: Any, kind: AskKind, *, forced: bool) -> None:
        self._kaldi, self._kind, self._forced = kaldi, kind, forced
        self._parts: list[dict[str, Any]] = []

    def feed(self, pcm: bytes) -> None:
        """Recognise more sound (PCM, 8 kHz). A pause ends a part of what is said; the parts are one answer."""
        if self._kaldi.AcceptWaveform(pcm):
            self._parts.append(json.loads(self._kaldi.Result()))

    def so_far(self) -> Words:
        """The words up to here, where a part ends; Vosk's own partial results lag, and have no confidence."""
        return self.finish()

    def finish(self) -> Words:
        """The words of all parts."""
        self._parts.append(json.loads(self._kaldi.FinalResult()))
        return in_words(self._parts, self._kind, forced=self._forced)


def in_words(parts: list[dict[str, Any]], kind: AskKind, *, forced: bool) -> Words:
    """What Vosk's results say. Pure.

    The confidence is that of the least certain word of a grammar, and of a comment the mean. ``forced`` tells that the
    model had to choose one of the expected words whatever it heard; then only a confident choice is more than a guess.
    What is not in the grammar stays in the text as ``[unk]``.
    """
    text = " ".join(part["text"] for part in parts if part.get("text"))
    confidences = [
        word["conf"] for part in parts for word in part.get("result", ()) if word["word"] != UNKNOWN
    ]
    if not text or not confidences:
        return Words(text, spoken=True, confidence=None)
    chosen = fmean(confidences) if kind == "comment" else min(confidences)
    confidence = round(min(1.0, chosen), 3)
    if forced and confidence < FORCED_LEAST:
        confidence = min(confidence, GUESS)
    if UNKNOWN in text.split():
        confidence = min(confidence, PARTLY_UNKNOWN)
    return Words(text, spoken=True, confidence=confidence)
