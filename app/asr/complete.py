"""Whether what has been said so far is a whole answer, which a short pause may end. Pure.

"Seven" is one, and so is "nine out of ten". "I'd say seven", "seven or", "not" and whatever else may go on is left the
long pause, and so is a word that is a number only when nothing follows: "one" of "one moment".
"""

from collections.abc import Callable

from app.survey import SURE_CONFIDENCE, Answer, Ask, AskKind, Label, PhrasePiece, Stop, Vocabulary, Words
from app.survey.hear import hear

IsComplete = Callable[[Words], bool]

_OF_A_SCORE = Label.NOUN | Label.SCALE | Label.OUT_OF


def is_complete(ask: Ask, words: Words, vocabulary: Vocabulary) -> bool:
    """Whether this answers the question with nothing around it, as surely as the recogniser can tell."""
    if words.confidence is not None and words.confidence < SURE_CONFIDENCE:
        return False
    kinds: tuple[AskKind, ...] = ("score", "yes_no") if ask.read_back else (ask.kind,)
    return ask.kind != "comment" and any(_is_complete(kind, words, vocabulary) for kind in kinds)


def _is_complete(kind: AskKind, words: Words, vocabulary: Vocabulary) -> bool:
    match hear(kind, words, vocabulary):
        case Stop():
            return True
        case Answer():
            sentence, _ = vocabulary.read(words.text)
            answers = _says_score if kind == "score" else _says_yes_no
            return all(map(answers, sentence)) and not sentence[-1].labels & Label.OUT_OF
        case _:
            return False


def _says_score(piece: PhrasePiece) -> bool:
    return bool(piece.labels & _OF_A_SCORE) if piece.number is None else not piece.number.weak


def _says_yes_no(piece: PhrasePiece) -> bool:
    return bool(piece.labels & (Label.YES | Label.NO)) and not piece.labels & Label.FILLER
