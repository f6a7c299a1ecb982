"""The one score in a sentence, or why there is none: never a guess."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal

from app.survey.phrases import ABOVE_TEN, DENYING, Label, PhrasePiece
from app.survey.tokens import STRONG_MARKS, is_spoiling

NoScore = Literal["no_number", "two_numbers", "negated", "out_of_range"]

_QUIET = Label.FILLER | Label.NOUN | Label.UNKNOWN
_AFTER_ARTICLE = Label.FILLER | Label.UNKNOWN | Label.OUT_OF | Label.SCALE | Label.REASON | Label.ALTERNATIVE


def score_in(sentence: Sequence[PhrasePiece]) -> int | NoScore:
    """The score 0-10 that the sentence gives.

    A number is the score when it is the only one (said twice is still one), nothing measures it (minutes, percent,
    stars), no fraction or other scale goes with it and no negation governs it.
    """
    tails = _tails(sentence)
    if tails is None:
        return "out_of_range"
    places = list(_numbers(sentence, tails))
    values = {number.value for at in places if (number := sentence[at].number) is not None}
    if not values:
        return "no_number"
    if ABOVE_TEN in values or any(each.labels & Label.FRACTION for each in sentence):
        return "out_of_range"
    if len(values) > 1:
        return "two_numbers"
    if any(_is_measured(sentence, at) for at in (*places, *tails)) or not any(
        _stands_clear(sentence, at) for at in places
    ):
        return "no_number"
    value = values.pop()
    return "negated" if _is_negated(sentence, places, value) else value


def has_number(sentence: Sequence[PhrasePiece]) -> bool:
    """Whether any number that is not also an ordinary word was heard."""
    return any(each.number is not None and not each.number.weak for each in sentence)


def _tails(sentence: Sequence[PhrasePiece]) -> frozenset[int] | None:
    """Where "out of" and "ten" stand behind a number; None when a score is out of something else.

    Behind a word that we do not know they count as well: it may have been a number ("sefen out of ten").
    """
    tails: set[int] = set()
    behind_number = False
    for at, piece in enumerate(sentence):
        top = sentence[at + 1].number if at + 1 < len(sentence) else None
        behind_unknown = at > 0 and not sentence[at - 1].is_known
        if piece.labels & Label.OUT_OF and top is not None and (behind_number or behind_unknown):
            if behind_number and top.value != 10:
                return None
            tails |= {at, at + 1}
            behind_number = False
        elif at not in tails:
            behind_number = piece.number is not None or (behind_number and _is_quiet(piece))
    return frozenset(tails)


def _is_quiet(piece: PhrasePiece) -> bool:
    return bool(piece.labels & _QUIET) or piece.key == ","


def _numbers(sentence: Sequence[PhrasePiece], tails: frozenset[int]) -> Iterator[int]:
    strong = any(
        each.number is not None and not each.number.weak and at not in tails
        for at, each in enumerate(sentence)
    )
    for at, piece in enumerate(sentence):
        if piece.number is None or at in tails:
            continue
        if not piece.number.weak or _counts(sentence, at, beside_number=strong):
            yield at


def _counts(sentence: Sequence[PhrasePiece], at: int, *, beside_number: bool) -> bool:
    """Whether a form that is also an ordinary word is meant as a number here: "one" does, "one agent" does not."""
    number, before, after = sentence[at].number, _neighbour(sentence, at, -1), _neighbour(sentence, at, +1)
    if not (_is_edge(before) and _is_edge(after)) or _opens_nothing(sentence, at):
        return False
    if number is None or not number.article or after is None or after.is_mark:
        return True
    if beside_number:
        return any(each is not None and bool(each.labels & Label.ALTERNATIVE) for each in (before, after))
    return bool(after.labels & _AFTER_ARTICLE)


def _opens_nothing(sentence: Sequence[PhrasePiece], at: int) -> bool:
    """Whether "of" follows without a number behind it, as in "one of your agents"."""
    after = _neighbour(sentence, at, +1)
    if after is None or not after.labels & Label.OUT_OF:
        return False
    top = _neighbour(sentence, at + 1, +1)
    return top is None or top.number is None


def _neighbour(sentence: Sequence[PhrasePiece], at: int, step: Literal[-1, 1]) -> PhrasePiece | None:
    return sentence[at + step] if 0 <= at + step < len(sentence) else None


def _is_edge(piece: PhrasePiece | None) -> bool:
    return piece is None or piece.is_known


def _stands_clear(sentence: Sequence[PhrasePiece], at: int) -> bool:
    """Whether at least one side of the number is an edge or a known phrase, and not the middle of some story."""
    return _is_edge(_neighbour(sentence, at, -1)) or _is_edge(_neighbour(sentence, at, +1))


def _is_measured(sentence: Sequence[PhrasePiece], at: int) -> bool:
    """Whether a unit, a currency or a comparison sign makes the number something else: "10 long minutes", "9%"."""
    before, after, behind = (
        sentence[each] if 0 <= each < len(sentence) else None for each in (at - 1, at + 1, at + 2)
    )
    if any(each is not None and each.is_mark and is_spoiling(each.key) for each in (before, after)):
        return True
    if after is None:
        return False
    far = behind is not None and not after.is_known and bool(behind.labels & Label.UNIT)
    return far or bool(after.labels & Label.UNIT)


def _is_negated(sentence: Sequence[PhrasePiece], places: Sequence[int], value: int) -> bool:
    """Whether a negation or a hedge ("almost", "if") may be about the number.

    It is not where it stands in a clause of its own that has something else to say. A full stop or "because" ends a
    clause on either side ("Not happy. 2"); behind the number any mark does for a negation ("3, they didn't help"), but
    not for a hedge ("10, if they had called"). The scale's low end in words agrees with a low score ("2, not at all").
    """
    denying = DENYING if value == 0 else DENYING | Label.LOWEST
    denials = [at for at, each in enumerate(sentence) if each.labels & denying]
    if not denials:
        return False
    sentences, clauses = _clauses(sentence, strong=True), _clauses(sentence, strong=False)
    telling_sentences, telling_clauses = _telling(sentence, sentences), _telling(sentence, clauses)
    first, last = places[0], places[-1]
    after = _neighbour(sentence, last, +1)
    asked = after is not None and after.key == "?"

    def is_apart(at: int) -> bool:
        if at < first:
            return sentences[at] != sentences[first] and sentences[at] in telling_sentences
        if at < last or asked:
            return False
        if sentence[at].labels & Label.LOWEST:
            return value <= 6 and clauses[at] != clauses[last]
        if sentence[at].labels & Label.HEDGE:
            return sentences[at] != sentences[last] and sentences[at] in telling_sentences
        return clauses[at] != clauses[last] and clauses[at] in telling_clauses

    return not all(map(is_apart, denials))


def _clauses(sentence: Sequence[PhrasePiece], *, strong: bool) -> list[int]:
    """For each piece, the number of its clause."""
    return list(accumulate(int(_is_boundary(each, strong=strong)) for each in sentence))


def _is_boundary(piece: PhrasePiece, *, strong: bool) -> bool:
    if piece.labels & Label.REASON:
        return True
    return piece.is_mark and (not strong or piece.key in STRONG_MARKS)


def _telling(sentence: Sequence[PhrasePiece], clauses: Sequence[int]) -> set[int]:
    """The clauses that hold a word we do not know, and so say something beside the number."""
    return {clause for piece, clause in zip(sentence, clauses, strict=True) if not piece.is_known}
