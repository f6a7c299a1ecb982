"""Callers left to chance: plausible customers, the same ones again for the same seed."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal, assert_never

from app.rehearsal.clock import Clock, PacedClock
from app.rehearsal.people.caller import (
    HeardPrompt,
    HungUp,
    ListeningFor,
    Nothing,
    Pickup,
    Pressed,
    Reaction,
    Spoken,
)
from app.rehearsal.people.phone import Phone
from app.rehearsal.people.phrases import TONGUES, Phrases
from app.survey import Band

SCORES: dict[Band, tuple[int, ...]] = {
    "promoter": (9, 9, 10, 10, 10),
    "passive": (7, 8, 8),
    "detractor": (0, 1, 2, 3, 4, 5, 5, 6, 6, 6),
}
LANGUAGES = {"+48": "pl", "+47": "nb", "+33": "fr"}
SECOND_THOUGHTS = 2
WRITTEN_IN_FIGURES = 0.8

Question = Literal["score", "yes_no", "comment"]


@dataclass(frozen=True)
class Mood:
    """The customers of one queue, as shares from 0 to 1. ``promoter``, ``passive`` and ``detractor`` are weights."""

    promoter: float = 0.5
    passive: float = 0.28
    detractor: float = 0.22
    no_answer: float = 0.16
    busy: float = 0.05
    machine: float = 0.09
    leaves_at_once: float = 0.05
    leaves_at_score: float = 0.04
    leaves_at_comment: float = 0.15
    opts_out: float = 0.01
    says_nothing: float = 0.03
    speaks: float = 0.5
    is_unsure: float = 0.06
    comments: float = 0.65
    wants_callback: float = 0.45


@dataclass(frozen=True)
class Person:
    """Who is behind a number: a language of `app.rehearsal.people.phrases` and the mood of their queue."""

    language: str = "en"
    mood: Mood = field(default_factory=Mood)


def person_of(number: str) -> Person:
    """A person with the usual mood and the language of the number's country."""
    return Person(LANGUAGES.get(number[:3], "en"))


class RandomPhones:
    """A phone for any number: the n-th call to it goes the same way whenever ``seed`` is the same."""

    def __init__(
        self, seed: int = 0, pace: float = 1.0, person_for: Callable[[str], Person] = person_of
    ) -> None:
        self._seed, self._pace, self._person_for = seed, pace, person_for
        self._calls: Counter[str] = Counter()

    def __call__(self, number: str) -> Phone:
        """The phone for one call."""
        self._calls[number] += 1
        chance = Random(f"{self._seed} {number} {self._calls[number]}")  # noqa: S311 - a rehearsal, not a secret
        clock = PacedClock(self._pace)
        return Phone(RandomCaller(chance, self._person_for(number), clock), clock)


class RandomCaller:
    """One person for one call, whose answers are drawn from their mood by a seed."""

    def __init__(self, chance: Random, person: Person, clock: Clock) -> None:
        self._chance, self._clock, self._mood = chance, clock, person.mood
        self._tongue: Phrases = TONGUES[person.language]
        self.band = self._pick_band()
        self.score = chance.choice(SCORES[self.band])
        self._asked_for_score = 0
        self._pressed = False
        self._last_heard = ""
        self._leaves_at_once = self._may(self._mood.leaves_at_once)

    async def ring(self, from_: str, to: str) -> Pickup:  # noqa: ARG002 - chance does not care who calls
        """Pick up, be busy, or let a machine answer, by the person's own chances."""
        mood, fate = self._mood, self._chance.random()
        unmet: tuple[tuple[float, Pickup, float], ...] = (
            (mood.no_answer, "no-answer", 26),
            (mood.busy, "busy", 2),
            (mood.machine, "machine", 18),
        )
        for share, pickup, seconds in unmet:
            if fate < share:
                await self._clock.sleep(seconds)
                return pickup
            fate -= share
        await self._clock.sleep(self._chance.uniform(3, 15))
        return "human"

    async def hear(self, utterance: HeardPrompt) -> Reaction | None:
        """Listen to the prompt's end; gives `HungUp` after 2 s where this person is one who leaves at once."""
        if self._leaves_at_once:
            await self._clock.sleep(2)
            return HungUp()
        self._last_heard = utterance.text
        await self._clock.sleep(utterance.seconds)
        return None

    async def react(self, listening: ListeningFor) -> Reaction:
        """Answer the question as this person would: by key or by voice, or hang up."""
        reaction = self._answer(listening) if listening.asks else Nothing()
        if isinstance(reaction, Nothing):
            await self._clock.sleep(listening.timeout_seconds)
        else:
            thinking = min(self._chance.uniform(0.6, 2.5), listening.timeout_seconds)
            await self._clock.sleep(thinking + _taking(reaction))
        return reaction

    async def read(self, text: str) -> str | None:
        """Write back as this person would, or not at all."""
        question = question_in(text)
        if question is None or self._may(self._mood.no_answer):
            return None
        await self._clock.sleep(self._chance.uniform(20, 900))
        match question:
            case "score":
                return self._written_score()
            case "yes_no":
                return self._chance.choice(self._tongue.yes if self._wants_callback() else self._tongue.no)
            case "comment":
                leaves = self._may(self._mood.leaves_at_comment)
                return None if leaves else self._chance.choice(self._tongue.comments[self.band])
            case _:
                assert_never(question)

    def _written_score(self) -> str:
        self._asked_for_score += 1
        first = self._asked_for_score == 1
        if first and self._may(self._mood.opts_out):
            return self._tongue.stop
        if first and self._may(self._mood.is_unsure):
            return self._chance.choice(self._tongue.unsure)
        if self._may(WRITTEN_IN_FIGURES):
            return str(self.score)
        return self._chance.choice(self._tongue.scores).format(n=self._tongue.numbers[self.score])

    async def ended(self) -> None:
        """The line is dead; a random caller keeps nothing."""

    def _answer(self, listening: ListeningFor) -> Reaction:
        if self._may(self._mood.says_nothing):
            return Nothing()
        question = _question(listening)
        match question:
            case "score":
                return self._score(listening)
            case "yes_no":
                return self._yes_or_no(listening)
            case "comment":
                return self._comment()
            case _:
                assert_never(question)

    def _score(self, listening: ListeningFor) -> Reaction:
        self._asked_for_score += 1
        mood, first = self._mood, self._asked_for_score == 1
        if first and self._may(mood.leaves_at_score):
            return HungUp()
        if first and self._may(mood.opts_out):
            return Pressed("*") if self._may(0.5) else Spoken(self._tongue.stop, self._confidence())
        if not first and _is_read_back(self._last_heard, self.score):
            return self._say(self._tongue.yes[:1])
        if not first and self.score == 1 and self._pressed:
            return Nothing()  # "One? For ten, press 0."
        if not listening.speech or self._asked_for_score > SECOND_THOUGHTS or not self._may(mood.speaks):
            self._pressed = True
            return Pressed(f"{self.score}#" if self._may(0.3) else str(self.score))
        if first and self._may(mood.is_unsure):
            return self._say(self._tongue.unsure)
        sentence = self._chance.choice(self._tongue.scores)
        return Spoken(sentence.format(n=self._tongue.numbers[self.score]), self._confidence())

    def _comment(self) -> Reaction:
        if self._may(self._mood.leaves_at_comment):
            return HungUp()
        if not self._may(self._mood.comments):
            return Pressed("#") if self._may(0.4) else Nothing()
        return self._say(self._tongue.comments[self.band])

    def _yes_or_no(self, listening: ListeningFor) -> Reaction:
        wanted = self._wants_callback()
        if listening.speech and self._may(self._mood.speaks):
            return self._say(self._tongue.yes if wanted else self._tongue.no)
        return Pressed("1" if wanted else "2")

    def _wants_callback(self) -> bool:
        return self._may(self._mood.wants_callback)

    def _say(self, sentences: tuple[str, ...]) -> Spoken:
        return Spoken(self._chance.choice(sentences), self._confidence())

    def _confidence(self) -> float:
        return round(self._chance.uniform(0.72, 0.98), 4)

    def _pick_band(self) -> Band:
        bands: tuple[Band, ...] = ("promoter", "passive", "detractor")
        weights = (self._mood.promoter, self._mood.passive, self._mood.detractor)
        return self._chance.choices(bands, weights)[0]

    def _may(self, share: float) -> bool:
        return self._chance.random() < share


def _question(listening: ListeningFor) -> Question:
    """What is being asked, as a person would know from the words: two digits are a score, a free voice a comment."""
    if listening.max_digits == 2:
        return "score"
    if listening.max_digits is None or listening.finish_on_key != "#":
        return "comment"
    return "yes_no"


def question_in(text: str) -> Question | None:
    """What a message asks, as a person would know from its numbers: 0 to 10 for a score, 1 or 2 for yes or no."""
    numbers = set(re.findall(r"\d+", text))
    if {"0", "10"} <= numbers:
        return "score"
    if {"1", "2"} <= numbers:
        return "yes_no"
    return "comment" if "?" in text else None


def _is_read_back(heard: str, score: int) -> bool:
    """Whether the one number in what was heard is the person's own."""
    return re.findall(r"\d+", heard) == [str(score)]


def _taking(reaction: Reaction) -> float:
    return reaction.seconds if isinstance(reaction, Spoken) else 0.3
