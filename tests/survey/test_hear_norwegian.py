"""What Norwegian speakers say and write, in bokmål and in dialect, and what is understood."""

import pytest

from app.survey import Answer, AskKind
from app.survey.hear import Hearing
from tests.survey.hearing import (
    NEGATED,
    NO,
    NO_NUMBER,
    NO_YES_NO,
    OUTSIDE,
    REPEAT,
    SKIPPED,
    STOP,
    TWO,
    YES,
    spoken,
    written,
)

SCORES = {
    "ni": 9, "Ni.": 9, "NI!": 9, "ni av ti": 9, "9 av 10": 9, "9/10": 9, "ti av ti": 10, "en av ti": 1,
    "ett poeng av ti": 1, "åtte av ti": 8, "åtte poeng av ti": 8, "jeg vil si ni": 9,
    "jeg vil si en åtter": 8, "jeg vil si en nier": 9, "en toer": 2, "en ener": 1, "en treer": 3,
    "en firer": 4, "en femmer": 5, "en sekser": 6, "en sjuer": 7, "en syver": 7, "en åtter": 8, "en tier": 10,
    "jeg gir en sju": 7, "sju": 7, "syv": 7, "sjau": 7, "åtte": 8, "atte": 8, "aatte": 8, "åtta": 8,
    "null": 0, "en null": 0, "null poeng": 0, "en": 1, "én": 1, "ett": 1, "ein": 1, "jeg vil si en": 1,
    "jeg gir en, dessverre": 1, "ener": 1, "to": 2, "tre": 3, "fire": 4, "fem": 5, "seks": 6, "ti": 10,
    "ti!": 10, "ti takk": 10, "soleklar tier": 10, "en sterk åtter": 8, "tja, kanskje en seks": 6,
    "øh, sånn cirka sju": 7, "hmm, det må bli åtte": 8, "jeg tror det blir en åtter": 8, "da sier jeg sju": 7,
    "la oss si åtte": 8, "det blir en sjuer fra meg": 7, "karakteren blir fem": 5, "æ vil si åtte": 8,
    "eg gir ein åttar": 8, "terningkast fem": 5, "rundt sju": 7, "omtrent sju": 7, "mer eller mindre sju": 7,
    "ja, ni": 9, "9-er": 9, "9er": 9, "10'er": 10, "ikke verst, åtte": 8, "kan ikke klage, ni": 9,
    "uten tvil ti": 10, "vet ikke, sju kanskje": 7, "jeg vet ikke, kanskje sju": 7,
    "hvis jeg skal være ærlig, fire": 4, "null, slett ikke": 0, "ikke i det hele tatt, null": 0,
    "null, vil ikke anbefale": 0, "3, de løste ikke problemet mitt": 3,
    "tre fordi de ikke løste problemet": 3, "De løste ikke saken min. 2": 2,
    "på en skala fra 0 til 10 sier jeg 8": 8, "på en skala fra null til ti: sju": 7,
    "10 takk for god hjelp": 10, "ni, ni": 9,
}  # fmt: skip

UNCLEAR_SCORES = {
    "hei": NO_NUMBER, "vet ikke": NO_NUMBER, "svært sannsynlig": NO_NUMBER, "ikke ti": NEGATED,
    "ikke en tier": NEGATED, "det er ikke en nier": NEGATED, "absolutt ikke ti": NEGATED,
    "definitivt ikke en tier": NEGATED, "aldri en tier": NEGATED, "jeg ville ikke gitt ti": NEGATED,
    "jeg vil ikke si ni": NEGATED, "ikkje ti": NEGATED, "ti? nei": NEGATED, "ti er det ikke": NEGATED,
    "nei, ni": NEGATED, "nesten ti": NEGATED, "mindre enn fem": NEGATED, "mer enn åtte": NEGATED,
    "over åtte": NEGATED, "minst sju": NEGATED, "minus fem": NEGATED, "ti hvis dere fikser appen": NEGATED,
    "langt fra en tier": NEGATED, "vet ikke om det er en nier": NEGATED, "det ville vært en tier": NEGATED,
    "slett ikke en tier": NEGATED, "ikke null": NEGATED, "sju eller åtte": TWO, "syv-åtte": TWO, "7-8": TWO,
    "7 eller 8": TWO, "sju åtte": TWO, "en eller to": TWO, "en, to": TWO, "mellom seks og sju": TWO,
    "fem, nei, seks": TWO, "sju, unnskyld, åtte": TWO, "ikke ni men åtte": TWO, "sju og en halv": OUTSIDE,
    "sju og en halv av ti": OUTSIDE, "sju komma fem": OUTSIDE, "7,5": OUTSIDE, "halvannen": NO_NUMBER,
    "elleve": OUTSIDE, "tjue": OUTSIDE, "tjueni": OUTSIDE, "tjue ni": OUTSIDE, "ni og tyve": OUTSIDE,
    "niogtyve": OUTSIDE, "hundre": OUTSIDE, "to hundre": OUTSIDE, "nittini": OUTSIDE, "tusen": OUTSIDE,
    "elleve av ti": OUTSIDE, "ni av hundre": OUTSIDE, "fem av fem": OUTSIDE, "5 av 6": OUTSIDE,
    "9/5": OUTSIDE, "hundre prosent": OUTSIDE, "9 prosent": NO_NUMBER, "ti minutter": NO_NUMBER,
    "ventet i 10 minutter": NO_NUMBER, "ringte tre ganger": NO_NUMBER, "fem stjerner": NO_NUMBER,
    "en bra samtale": NO_NUMBER, "det var en fin dame": NO_NUMBER, "en veldig god opplevelse": NO_NUMBER,
    "jeg vil gi en karakter": NO_NUMBER, "en av de beste": NO_NUMBER, "en katastrofe": NO_NUMBER,
    "null problem": NO_NUMBER, "snakket med to kundebehandlere": NO_NUMBER, "ring meg klokka ni": NEGATED,
    "niende": NO_NUMBER, "ti stille": NO_NUMBER, "på en skala fra null til ti": NO_NUMBER,
    "tusen takk": NO_NUMBER, "trettisju av ti": NO_NUMBER, "en karakter av ti": NO_NUMBER,
}  # fmt: skip


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_a_score_is_heard(said: str, score: int) -> None:
    assert written("nb", "score", said) == Answer(score)


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_a_spoken_score_is_always_read_back(said: str, score: int) -> None:
    assert spoken("nb", "score", said, confidence=0.99) == Answer(score, doubtful=True)


@pytest.mark.parametrize(("said", "hearing"), UNCLEAR_SCORES.items())
def test_what_is_in_doubt_is_asked_again(said: str, hearing: Hearing) -> None:
    assert written("nb", "score", said) == hearing
    assert spoken("nb", "score", said, confidence=0.9) == hearing


@pytest.mark.parametrize(
    "said",
    [
        "stopp", "STOPP!", "stop", "vær så snill stopp", "nei, stopp", "stopp takk", "avslutt", "AVSLUTT",
        "slutt å ringe", "slutt å ringe meg!", "ikke ring meg mer", "ikke ring meg", "ikkje ring meg meir",
        "meld meg av", "fjern meg fra listen", "jeg vil ikke bli kontaktet", "jeg reserverer meg",
        "la meg være i fred", "REZYGNUJĘ", "ARRET", "unsubscribe", "avmeld",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["score", "comment", "yes_no"])
def test_opting_out_is_heard_at_every_question(kind: AskKind, said: str) -> None:
    assert written("nb", kind, said) == STOP


@pytest.mark.parametrize(
    "said",
    ["dere burde slutte å bytte konsulenter", "bussen stopper ikke her", "jeg kan ikke slutte å anbefale dere",
     "stoppet opp i køen",
     "til slutt fikk jeg hjelp", "vil ikke melde meg av"],
)  # fmt: skip
def test_a_comment_about_stopping_is_a_comment(said: str) -> None:
    assert written("nb", "comment", said) == Answer(said)


YES_OR_NO = {
    "ja": YES, "Ja!": YES, "ja takk": YES, "ja, gjerne": YES, "gjerne": YES, "jo": YES, "joda": YES,
    "jepp": YES, "selvfølgelig": YES, "det stemmer": YES, "riktig": YES, "hvorfor ikke": YES,
    "det er greit": YES, "helt klart": YES, "ja, ni": YES, "👍": YES, "nei": NO, "Nei.": NO, "nei takk": NO,
    "neida": NO, "ikke nødvendig": NO, "det trengs ikke": NO, "helst ikke": NO, "egentlig ikke": NO,
    "absolutt ikke": NO, "ellers takk": NO, "nei, ti": NO, "stemmer ikke": NO, "det er feil": NO,
    "jeg vil ikke": NO, "ikke nå": NO, "det tror jeg ikke": NO, "selvfølgelig ikke": NO, "næ": NO,
    "ja og nei": NO_YES_NO, "ja nei": NO_YES_NO, "vet ikke": NO_YES_NO, "kanskje": NO_YES_NO, "ni": NO_YES_NO,
    "hva?": REPEAT, "kan du gjenta": REPEAT, "hopp over": SKIPPED,
}  # fmt: skip


@pytest.mark.parametrize(("said", "hearing"), YES_OR_NO.items())
def test_yes_or_no(said: str, hearing: Hearing) -> None:
    assert written("nb", "yes_no", said) == hearing


@pytest.mark.parametrize(
    "said",
    [
        "hopp over",
        "nei",
        "nei takk",
        "ingenting",
        "ikke noe spesielt",
        "vet ikke",
        "ingen kommentar",
        "pass",
        "det var alt",
    ],
)
def test_having_nothing_to_say_skips_the_open_question(said: str) -> None:
    assert written("nb", "comment", said) == SKIPPED


@pytest.mark.parametrize(
    "said", ["hopp over", "vil ikke svare", "jeg vil helst ikke si det", "hopp over spørsmålet takk"]
)
def test_a_score_may_be_refused(said: str) -> None:
    assert written("nb", "score", said) == SKIPPED


@pytest.mark.parametrize(
    "said",
    [
        "hva?",
        "hva sa du",
        "hæ?",
        "ka sa du",
        "kan du gjenta spørsmålet",
        "en gang til takk",
        "unnskyld?",
        "jeg hørte ikke hva du sa",
    ],
)
def test_the_question_can_be_heard_again(said: str) -> None:
    assert spoken("nb", "score", said) == REPEAT


@pytest.mark.parametrize(
    "said", ["Ingen ringte meg tilbake", "Ingenting virker", "ni", "ja", "Veldig hyggelig dame"]
)
def test_a_comment_is_kept_as_it_was_said(said: str) -> None:
    assert written("nb", "comment", said) == Answer(said)
