"""Whisper, by faster-whisper: comments, and languages that have no Vosk model.

A score is not decoded freely: every way to say one is scored against the sound, and the probabilities say how sure it
is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import exp, log
from pathlib import Path
from threading import Lock
from typing import Any

import structlog

from app.asr.thresholds import (
    PARTLY_UNKNOWN,
    WHISPER_FIRST_TOKEN,
    WHISPER_LEAST_LIKELY,
    WHISPER_MASS,
    WHISPER_POSTERIOR,
    WHISPER_REPETITION,
    WHISPER_SILENCE,
)
from app.audio import TELEPHONE_RATE
from app.errors import RecogniserError
from app.ports import Utterance
from app.survey import AskKind, Vocabulary, Words

logger = structlog.get_logger(__name__)

# Whisper's own names where they differ from a browser's.
CODES = {"nb": "no", "nn": "no"}
# The encoder's window is what costs. Comments keep the whole 30 s: in a shorter one they repeat themselves.
SCORE_WINDOW_SECONDS = 8
LEAST = 1e-12
# The first ones of a list are the usual ones.
MOST_FORMS = 2


@dataclass(eq=False)
class Whisper:
    """Recognises with the one multilingual model in ``directory``, which is loaded when it is first needed."""

    directory: Path | None
    vocabularies: Mapping[str, Vocabulary]
    name: str = "whisper"
    streams_per_thread: int = 7
    _loaded: Any = None
    _loading: Lock = field(default_factory=Lock)

    def lacks(self, language: str, kind: AskKind) -> str | None:  # noqa: ARG002 - a model hears every kind
        """What is missing: the setting, the library, the model or the language's words."""
        if self.directory is None:
            return "ZEROTEN_WHISPER_MODEL is not set"
        if language not in self.vocabularies:
            return f"no flow speaks {language}"
        if not (self.directory / "model.bin").is_file():
            return f"{self.directory} has no Whisper model"
        if find_spec("faster_whisper") is None:
            return "faster-whisper is not installed; requirements/whisper.txt has it"
        return None

    def begin(self, language: str, kind: AskKind) -> Utterance:
        """Collects the sound; all the work is in its end: 0.2 to 0.4 CPU-s for a score, 0.5 for a comment, or more."""
        return _WhisperUtterance(self._model(), self.vocabularies[language], language, kind)

    def _model(self) -> Any:
        with self._loading:
            if self._loaded is None:
                reason = next((self.lacks(each, "comment") for each in self.vocabularies), "no flow speaks")
                if reason is not None:
                    raise RecogniserError(reason)
                self._loaded = _read(self.directory)
            return self._loaded


def _read(directory: Path | None) -> Any:
    from faster_whisper import WhisperModel  # noqa: PLC0415 - an extra

    try:
        model = WhisperModel(
            str(directory), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )
    except Exception as problem:
        raise RecogniserError(f"{directory} cannot be loaded: {problem}") from problem
    logger.info("whisper_model_loaded", directory=str(directory))
    return model


@dataclass(eq=False)
class _WhisperUtterance:
    model: Any
    vocabulary: Vocabulary
    language: str
    kind: AskKind
    _pcm: bytearray = field(default_factory=bytearray)

    def feed(self, pcm: bytes) -> None:
        """Keep more sound (PCM, 8 kHz) until `finish`."""
        self._pcm += pcm

    def so_far(self) -> None:
        """None: nothing is recognised before `finish`."""

    def finish(self) -> Words:
        """The score that fits best, where the sound is one; else the words."""
        samples = _at_16_khz(bytes(self._pcm))
        if self.kind == "score":
            chosen = _score(self.model, samples, self.language, self.vocabulary)
            if chosen is not None:
                return chosen
        return _words(self.model, samples, self.language)


def _score(model: Any, samples: Any, language: str, vocabulary: Vocabulary) -> Words | None:
    """The likeliest number and its share of all numbers' probability; None where the sound is none of them."""
    # The model writes numbers in digits as readily as in words.
    said = {score: (*forms[:MOST_FORMS], str(score)) for score, forms in vocabulary.scores.items()}
    likelihoods = _likelihoods(
        model, samples, language, tuple({form for forms in said.values() for form in forms})
    )
    masses = {score: sum(likelihoods[form] for form in forms) for score, forms in said.items()}
    total = sum(masses.values())
    if total < WHISPER_MASS:
        return None
    best = max(masses, key=masses.__getitem__)
    share = masses[best] / total
    confidence = round(share if share >= WHISPER_POSTERIOR else min(share, PARTLY_UNKNOWN), 3)
    return Words(vocabulary.scores[best][0], spoken=True, confidence=confidence)


def _likelihoods(model: Any, samples: Any, language: str, forms: tuple[str, ...]) -> dict[str, float]:
    """The probability of each form, given that somebody said something in this language; 0 for the unlikely ones.

    The model gives them as it aligns a text with the sound; a capital letter is how it begins a sentence.
    """
    from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415 - an extra

    tokenizer = Tokenizer(
        model.hf_tokenizer, multilingual=True, task="transcribe", language=CODES.get(language, language)
    )
    start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    features = model.feature_extractor(_padded(samples, SCORE_WINDOW_SECONDS), padding=0)
    encoded = model.encode(features)
    tokens = {
        spelling: tokenizer.encode(" " + spelling) for form in forms for spelling in (form, form.capitalize())
    }
    first = _first_tokens(model, encoded, start)
    bounds = {spelling: float(first[found[0]]) for spelling, found in tokens.items()}
    least = max(bounds.values()) * WHISPER_FIRST_TOKEN if sum(bounds.values()) > WHISPER_MASS / 2 else 1.0
    likely = {
        spelling: _likelihood(model, encoded, start, found, features.shape[-1])
        for spelling, found in tokens.items()
        if bounds[spelling] >= least
    }
    return {form: sum(likely.get(spelling, 0.0) for spelling in {form, form.capitalize()}) for form in forms}


def _first_tokens(model: Any, encoded: Any, start: list[int]) -> Any:
    """The probability of every token of the model to be the first of what was said."""
    import numpy as np  # noqa: PLC0415 - an extra

    (generated,) = model.model.generate(
        encoded, [start], max_length=len(start) + 1, beam_size=1, return_logits_vocab=True,
        suppress_blank=False, suppress_tokens=[],
    )  # fmt: skip
    logits = np.asarray(generated.logits[0][0], dtype=np.float64).ravel()
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def _likelihood(model: Any, encoded: Any, start: list[int], tokens: list[int], frames: int) -> float:
    aligned = model.model.align(encoded, start, [tokens], frames, median_filter_width=7)[0]
    return exp(sum(log(max(each, LEAST)) for each in aligned.text_token_probs[: len(tokens)]))


def _words(model: Any, samples: Any, language: str) -> Words:
    segments, _ = model.transcribe(
        samples, language=CODES.get(language, language), beam_size=1, temperature=0.0,
        condition_on_previous_text=False, without_timestamps=True,
    )  # fmt: skip
    found = [each for each in segments if _is_speech(each)]
    text = " ".join(each.text.strip() for each in found)
    if not text:
        return Words("", spoken=True)
    lengths = [max(1, len(each.tokens)) for each in found]
    mean = sum(each.avg_logprob * length for each, length in zip(found, lengths, strict=True)) / sum(lengths)
    return Words(text, spoken=True, confidence=round(exp(mean), 3))


def _is_speech(segment: Any) -> bool:
    return bool(
        segment.no_speech_prob < WHISPER_SILENCE
        and segment.avg_logprob > WHISPER_LEAST_LIKELY
        and segment.compression_ratio < WHISPER_REPETITION
    )


def _at_16_khz(pcm: bytes) -> Any:
    """Samples from -1 to 1 at 16 kHz, as Whisper takes them: between two samples of the line stands their mean."""
    import numpy as np  # noqa: PLC0415 - an extra

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
    places = np.arange(2 * len(samples)) / 2
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32) if len(samples) else samples


def _padded(samples: Any, seconds: int) -> Any:
    import numpy as np  # noqa: PLC0415 - an extra

    wanted = seconds * 2 * TELEPHONE_RATE
    return np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))
