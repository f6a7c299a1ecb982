"""What the hearing of one language needs to know: built from the `hearing:` section of its wording file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import FlowError
from app.survey.nps import band
from app.survey.phrases import ABOVE_TEN, Label, Number, PhrasePiece, Table, items, pieces
from app.survey.tokens import tokens

SCALE = range(11)

# Counted in every language: people answer the sender they know, not the language of one survey.
STOP_ANYWHERE = (
    "stop", "stopp", "avslutt", "arrêt", "arrêter", "rezygnuję", "unsubscribe", "désabonner", "wypisz", "avmeld",
)  # fmt: skip

PHRASE_KEYS: Mapping[str, Label] = {
    "fillers": Label.FILLER,
    "idioms": Label.FILLER,
    "score_nouns": Label.NOUN,
    "negations": Label.NEGATION,
    "hedges": Label.HEDGE,
    "lowest": Label.LOWEST,
    "alternatives": Label.ALTERNATIVE,
    "reasons": Label.REASON,
    "units": Label.UNIT,
    "fractions": Label.FRACTION,
    "out_of": Label.OUT_OF,
    "scale": Label.SCALE,
    "says_yes": Label.YES,
    "says_no": Label.NO,
    "skip": Label.SKIP,
    "nothing": Label.NOTHING,
    "unknown": Label.UNKNOWN,
    "repeat": Label.REPEAT,
    "stop": Label.STOP,
    "opt_out": Label.OPT_OUT,
    "not_opt_out": Label.FILLER,
}
OTHER_KEYS = frozenset(
    {"numbers", "articles", "ambiguous", "slips", "above_ten", "confusable", "confirm_speech"}
)
REQUIRED_KEYS = frozenset({
    "numbers", "above_ten", "negations", "out_of", "says_yes", "says_no", "skip", "repeat", "stop", "opt_out",
})  # fmt: skip

_REQUESTS = Label.OPT_OUT | Label.SKIP | Label.REPEAT
_HARMLESS = Label.FILLER | Label.LOWEST | Label.UNKNOWN | Label.YES


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary:
    """The words of one language, compiled.

    ``written`` holds the lists as the file has them. ``phrases`` is for understanding a whole sentence, ``requests``
    for finding what someone asks of us in the middle of one, whatever else the words around it might mean.
    ``slips`` is what a recogniser writes for a number it misheard, ``confusable`` the scores whose mishearing would
    change the band; ``confirm_speech`` asks for every spoken score to be read back.
    """

    language: str
    written: Mapping[str, tuple[str, ...]]
    scores: Mapping[int, tuple[str, ...]]
    numbers: Table[Number]
    phrases: Table[Label]
    requests: Table[Label]
    slips: Mapping[str, int]
    confusable: frozenset[int]
    confirm_speech: bool

    @classmethod
    def build(cls, language: str, section: Mapping[str, Any]) -> "Vocabulary":
        """The vocabulary of a file's `hearing:` section; every key is explained in flows/text/en.yml.

        Raises `FlowError` with the file, the key and what is wrong with it.
        """
        return _Section(f"{language}.yml", section).vocabulary(language)

    def read(self, text: str) -> tuple[tuple[PhrasePiece, ...], Label]:
        """The text as known phrases, numbers, marks and unknown words, and the requests that it makes in so many words.

        A request (to opt out, to skip, to repeat) counts here from two words up. Any text will do, even a broken one.
        """
        found = items(tokens(text), self.numbers)
        asked = Label.NONE
        for piece in pieces(found, self.requests):
            asked |= piece.labels & _REQUESTS
        return pieces(found, self.phrases), asked

    def score_phrases(self) -> tuple[str, ...]:
        """Every way to say a number from 0 to 10, for a recogniser to expect; in order, without digits."""
        return tuple(
            form for forms in self.scores.values() for form in forms if not any(map(str.isdigit, form))
        )

    def yes_no_phrases(self) -> tuple[str, ...]:
        """The ways to say yes and no that consist of words."""
        both = (*self.written["says_yes"], *self.written["says_no"])
        return tuple(each for each in both if any(map(str.isalpha, each)))


@dataclass(frozen=True)
class _Section:
    """A `hearing:` section being checked and compiled."""

    file: str
    values: Mapping[str, Any]

    def vocabulary(self, language: str) -> Vocabulary:
        self._check_keys()
        scores = self._scores()
        numbers = self._numbers(scores)
        written = {key: tuple(self._list(key, self.values.get(key, []))) for key in PHRASE_KEYS}
        phrases = self._labelled(written, numbers)
        return Vocabulary(
            language=language,
            written=written,
            scores=scores,
            numbers=numbers,
            phrases=phrases,
            requests=self._requests(written, phrases, numbers),
            slips=self._slips(),
            confusable=self._confusable(),
            confirm_speech=self._confirm_speech(),
        )

    def _wrong(self, key: str, reason: str) -> FlowError:
        return FlowError(self.file, f"hearing.{key}" if key else "hearing", reason)

    def _check_keys(self) -> None:
        if not isinstance(self.values, Mapping):
            raise self._wrong("", "must be a table of lists of words")
        for key in self.values:
            if key not in PHRASE_KEYS and key not in OTHER_KEYS:
                raise self._wrong(str(key), "is not a key of this section")
        for key in sorted(REQUIRED_KEYS - self.values.keys()):
            raise self._wrong(key, "is missing")

    def _list(self, key: str, phrases: object) -> Iterator[str]:
        if not isinstance(phrases, list | tuple):
            raise self._wrong(key, "must be a list")
        for phrase in phrases:
            if not isinstance(phrase, str):
                raise self._wrong(key, f"{phrase!r} is not text; write it in quotes")
            if not tokens(phrase):
                raise self._wrong(key, f"{phrase!r} holds no word")
            yield phrase

    def _table(self, key: str) -> Mapping[Any, Any]:
        table = self.values.get(key, {})
        if not isinstance(table, Mapping):
            raise self._wrong(key, "must give a list of words for each number")
        for number in table:
            if type(number) is not int or number not in SCALE:
                raise self._wrong(key, f"{number!r} is not a number from 0 to 10")
        return table

    def _scores(self) -> dict[int, tuple[str, ...]]:
        table = self._table("numbers")
        scores = {each: tuple(self._list(f"numbers.{each}", table.get(each, []))) for each in SCALE}
        for number, forms in scores.items():
            if not forms:
                raise self._wrong(f"numbers.{number}", "has no word")
        return scores

    def _numbers(self, scores: Mapping[int, tuple[str, ...]]) -> Table[Number]:
        articles = {tokens(each) for each in self._list("articles", self.values.get("articles", []))}
        ambiguous = {tokens(each) for each in self._list("ambiguous", self.values.get("ambiguous", []))}
        weak = articles | ambiguous
        found: dict[tuple[str, ...], Number] = {}
        forms = [(f"numbers.{value}", value, form) for value in SCALE for form in scores[value]]
        above = [("above_ten", ABOVE_TEN, form) for form in self._list("above_ten", self.values["above_ten"])]
        for key, value, form in forms + above:
            written = tokens(form)
            if found.get(written, Number(value)).value != value:
                raise self._wrong(key, f"{form!r} already stands for another number")
            found[written] = Number(value, weak=written in weak, article=written in articles)
        for key, forms_of_key in (("articles", articles), ("ambiguous", ambiguous)):
            for stray in sorted(forms_of_key - found.keys()):
                raise self._wrong(key, f"{' '.join(stray)!r} is not a form of any number")
        return Table.of(found)

    def _labelled(self, written: Mapping[str, tuple[str, ...]], numbers: Table[Number]) -> Table[Label]:
        labels: dict[tuple[str, ...], Label] = {("/",): Label.OUT_OF}
        lists = [
            *((PHRASE_KEYS[key], phrases) for key, phrases in written.items()),
            (Label.STOP, STOP_ANYWHERE),
        ]
        for label, phrases in lists:
            for phrase in phrases:
                for keys in _spellings(phrase, numbers):
                    labels[keys] = labels.get(keys, Label.NONE) | label
        return Table.of({keys: label | _inherited(keys, label, labels) for keys, label in labels.items()})

    def _requests(
        self, written: Mapping[str, tuple[str, ...]], phrases: Table[Label], numbers: Table[Number]
    ) -> Table[Label]:
        found = {
            keys: labels for keys, labels in phrases.entries.items() if labels & _REQUESTS and len(keys) > 1
        }
        for phrase in written["not_opt_out"]:
            found |= dict.fromkeys(_spellings(phrase, numbers), Label.NONE)
        return Table.of(found)

    def _slips(self) -> dict[str, int]:
        slips: dict[str, int] = {}
        for number, words in self._table("slips").items():
            for word in self._list(f"slips.{number}", words):
                written = tokens(word)
                if len(written) != 1 or slips.get(written[0], number) != number:
                    raise self._wrong(
                        f"slips.{number}", f"{word!r} must be one word, and stand for one number"
                    )
                slips[written[0]] = number
        return slips

    def _confusable(self) -> frozenset[int]:
        pairs = self.values.get("confusable", [])
        if not isinstance(pairs, list | tuple):
            raise self._wrong("confusable", "must be a list of pairs such as [6, 10]")
        confusable: set[int] = set()
        for pair in pairs:
            if (
                not isinstance(pair, list | tuple)
                or len(pair) != 2
                or any(each not in SCALE for each in pair)
            ):
                raise self._wrong("confusable", f"{pair!r} is not a pair of numbers from 0 to 10")
            if band(pair[0]) != band(pair[1]):
                confusable |= set(pair)
        return frozenset(confusable)

    def _confirm_speech(self) -> bool:
        confirm = self.values.get("confirm_speech", False)
        if not isinstance(confirm, bool):
            raise self._wrong("confirm_speech", "must be true or false")
        return confirm


def _inherited(keys: tuple[str, ...], label: Label, labels: Mapping[tuple[str, ...], Label]) -> Label:
    """The negation inside a longer phrase ("definitely not"), save where the phrase is listed as harmless."""
    if label & _HARMLESS:
        return Label.NONE
    parts = (keys[start:end] for end in range(1, len(keys) + 1) for start in range(end))
    return (
        Label.NEGATION if any(labels.get(part, Label.NONE) & Label.NEGATION for part in parts) else Label.NONE
    )


def _spellings(phrase: str, numbers: Table[Number]) -> set[tuple[str, ...]]:
    """The phrase as it is found in a sentence, and as people type it who leave out the apostrophe."""
    without = phrase.replace("'", "").replace("’", "")
    return {tuple(each.key for each in items(tokens(spelling), numbers)) for spelling in {phrase, without}}
