"""What French speakers say and write, and what is understood."""

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
    meant,
    spoken,
    written,
)

SCORES = {
    "huit": 8, "Huit.": 8, "huit sur dix": 8, "8 sur 10": 8, "8/10": 8, "dix sur dix": 10, "un sur dix": 1,
    "un point sur dix": 1, "zéro sur dix": 0, "huit points sur dix": 8, "sur dix, je dirais huit": 8,
    "je dirais un sept": 7, "je dirais un": 1, "je mets un": 1, "un": 1, "une": 1, "un, c'est nul": 1,
    "je mets un huit": 8, "un bon huit": 8, "un petit six": 6, "un gros zéro": 0, "zéro": 0, "zero": 0,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "neuf": 9, "dix": 10, "dix !": 10,
    "un dix": 10, "euh, je mettrais sept": 7, "bah disons sept": 7, "allez, neuf": 9, "c'est un neuf": 9,
    "ça mérite un dix": 10, "je donnerais la note de huit": 8, "une note de neuf": 9, "ma note est 9": 9,
    "je lui donne neuf": 9, "peut-être huit": 8, "à peu près sept": 7, "environ 7": 7, "autour de sept": 7,
    "je pense que c'est huit": 8, "j'dirais huit": 8, "jdirais 8": 8, "neuf, merci beaucoup": 9,
    "oui, neuf": 9, "eh bien huit alors": 8, "pour moi c'est dix": 10, "plutôt huit": 8,
    "sans hésiter dix": 10, "dix sans hésitation": 10, "pas mal, huit": 8, "rien à redire, dix": 10,
    "huit, pas plus": 8, "je ne sais pas, sept": 7, "je sais pas, peut-être sept": 7, "zéro, pas du tout": 0,
    "pas du tout probable, zéro": 0, "zéro, je ne recommande pas": 0,
    "3, ils n'ont pas résolu mon problème": 3, "trois parce qu'ils n'ont pas rappelé": 3,
    "Je ne suis pas content. 2": 2, "sur une échelle de 0 à 10 je dirais 8": 8, "de zéro à dix, quatre": 4,
    "neuf... neuf": 9, "9 s'il vous plaît": 9, "si je devais noter, six": 6, "plus ou moins sept": 7,
}  # fmt: skip

UNCLEAR_SCORES = {
    "bonjour": NO_NUMBER, "je ne sais pas": NO_NUMBER, "très probable": NO_NUMBER, "sur dix": NO_NUMBER,
    "pas dix": NEGATED, "pas un dix": NEGATED, "ce n'est pas un neuf": NEGATED, "c'est pas un neuf": NEGATED,
    "je ne dirais pas dix": NEGATED, "certainement pas dix": NEGATED, "absolument pas dix": NEGATED,
    "jamais dix": NEGATED, "dix ? non": NEGATED, "non, neuf": NEGATED, "presque dix": NEGATED,
    "moins de cinq": NEGATED, "plus de huit": NEGATED, "au moins sept": NEGATED, "pas plus de huit": NEGATED,
    "moins cinq": NEGATED, "dix si vous rappelez": NEGATED, "loin de dix": NEGATED, "pas zéro": NEGATED,
    "j'aurais mis dix": NEGATED, "sûrement pas un dix": NEGATED, "pas du tout dix": NEGATED,
    "je ne sais pas si c'est un neuf": NEGATED, "rappelez-moi à neuf": NEGATED, "sept ou huit": TWO,
    "sept, huit": TWO, "7-8": TWO, "7 ou 8": TWO, "un ou deux": TWO, "un, deux": TWO,
    "entre six et sept": TWO, "cinq, non, six": TWO, "sept, pardon, huit": TWO, "pas neuf mais huit": TWO,
    "sept à huit": TWO, "sept et demi": OUTSIDE, "sept virgule cinq": OUTSIDE, "7,5": OUTSIDE,
    "sept et demi sur dix": OUTSIDE, "onze": OUTSIDE, "dix-huit": OUTSIDE, "dix huit": OUTSIDE,
    "dix-sept": OUTSIDE, "vingt-neuf": OUTSIDE, "vingt et un": OUTSIDE, "quatre-vingt-dix": OUTSIDE,
    "quatre-vingts": OUTSIDE, "soixante-dix": OUTSIDE, "cent": OUTSIDE, "deux cents": OUTSIDE,
    "mille": OUTSIDE, "nonante-neuf": OUTSIDE, "huit sur vingt": OUTSIDE, "huit sur cinq": OUTSIDE,
    "cinq sur cinq": OUTSIDE, "onze sur dix": OUTSIDE, "4/5": OUTSIDE, "cent pour cent": OUTSIDE,
    "neuf pour cent": NO_NUMBER, "9 %": NO_NUMBER, "dix minutes": NO_NUMBER, "j'ai attendu 10 minutes": NO_NUMBER,
    "j'ai appelé trois fois": NO_NUMBER, "cinq étoiles": NO_NUMBER, "neuf heures": NO_NUMBER,
    "un téléphone neuf": NO_NUMBER, "quoi de neuf": NO_NUMBER, "c'est un bon service": NO_NUMBER,
    "c'est un très bon service": NO_NUMBER, "une honte": NO_NUMBER, "c'est une bonne note": NO_NUMBER,
    "je donne une note": NO_NUMBER, "un peu": NO_NUMBER, "zéro problème": NO_NUMBER,
    "deux conseillers": NO_NUMBER, "un de vos conseillers": NO_NUMBER, "neuvième": NO_NUMBER,
    "une catastrophe": NO_NUMBER, "un grand merci": NO_NUMBER, "un point positif, l'accueil": NO_NUMBER,
    "une note sur dix": NO_NUMBER, "xyz sur dix": NO_NUMBER,
}  # fmt: skip


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_a_score_is_heard(said: str, score: int) -> None:
    assert written("fr", "score", said) == Answer(score)


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_spoken_six_and_dix_are_read_back_and_the_others_are_not(said: str, score: int) -> None:
    assert spoken("fr", "score", said, confidence=0.95) == Answer(score, doubtful=score in {6, 10})


@pytest.mark.parametrize(("said", "hearing"), UNCLEAR_SCORES.items())
def test_what_is_in_doubt_is_asked_again(said: str, hearing: Hearing) -> None:
    assert written("fr", "score", said) == hearing
    assert spoken("fr", "score", said, confidence=0.9) == hearing


@pytest.mark.parametrize(
    ("said", "score"), [("dis", 10), ("je dirais dis", 10), ("scie", 6), ("cette", 7), ("œuf", 9)]
)
def test_a_recognisers_slip_is_read_back(said: str, score: int) -> None:
    assert spoken("fr", "score", said) == Answer(score, doubtful=True)
    assert meant(written("fr", "score", said)) == NO_NUMBER


@pytest.mark.parametrize(
    "said",
    [
        "stop", "STOP !", "stop s'il vous plaît", "non, stop", "arrêt", "ARRET", "arrêtez",
        "Arrêtez de m'appeler !", "arrete", "ne m'appelez plus", "ne m’appelez plus jamais", "désabonner",
        "desabonnez-moi", "je veux me désinscrire", "je ne veux plus être appelé",
        "je ne souhaite plus être contactée", "retirez-moi de votre liste", "laissez-moi tranquille", "STOPP",
        "AVSLUTT", "REZYGNUJĘ", "UNSUBSCRIBE", "ne m'envoyez plus de messages", "supprimez mon numéro",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["score", "comment", "yes_no"])
def test_opting_out_is_heard_at_every_question(kind: AskKind, said: str) -> None:
    assert written("fr", kind, said) == STOP


@pytest.mark.parametrize(
    "said",
    ["vous devriez arrêter de changer de conseiller", "l'arrêt de bus est loin", "ils n'arrêtent pas de transférer",
     "je n'arrête pas de vous recommander", "musique non-stop pendant l'attente",
     "je ne veux pas me désabonner"],
)  # fmt: skip
def test_a_comment_about_stopping_is_a_comment(said: str) -> None:
    assert written("fr", "comment", said) == Answer(said)


YES_OR_NO = {
    "oui": YES, "Oui !": YES, "oui merci": YES, "oui, s'il vous plaît": YES, "ouais": YES, "bien sûr": YES,
    "d'accord": YES, "volontiers": YES, "avec plaisir": YES, "pourquoi pas": YES, "pas de problème": YES,
    "tout à fait": YES, "c'est ça": YES, "exact": YES, "je veux bien": YES, "si": YES, "oui, neuf": YES,
    "ok": YES, "👍": YES, "non": NO, "Non.": NO, "non merci": NO, "non, dix": NO,
    "pas vraiment": NO, "pas du tout": NO, "bien sûr que non": NO, "surtout pas": NO,
    "ce n'est pas la peine": NO, "c'est pas la peine": NO, "pas besoin": NO, "ça ira": NO, "ça ira merci": NO,
    "jamais": NO, "absolument pas": NO, "c'est faux": NO, "ce n'est pas ça": NO, "je ne pense pas": NO,
    "pas maintenant": NO, "non, je ne veux pas": NO, "sans façon": NO, "nan": NO, "ne me rappelez pas": NO,
    "oui et non": NO_YES_NO, "oui non": NO_YES_NO, "je ne sais pas": NO_YES_NO, "peut-être": NO_YES_NO,
    "neuf": NO_YES_NO, "comment ?": REPEAT, "pouvez-vous répéter": REPEAT, "je passe": SKIPPED,
}  # fmt: skip


@pytest.mark.parametrize(("said", "hearing"), YES_OR_NO.items())
def test_yes_or_no(said: str, hearing: Hearing) -> None:
    assert written("fr", "yes_no", said) == hearing


@pytest.mark.parametrize(
    "said",
    [
        "passer",
        "je passe",
        "rien",
        "non",
        "non merci",
        "rien à ajouter",
        "sans commentaire",
        "je ne sais pas",
        "c'est tout",
        "RAS",
    ],
)
def test_having_nothing_to_say_skips_the_open_question(said: str) -> None:
    assert written("fr", "comment", said) == SKIPPED


@pytest.mark.parametrize(
    "said", ["je passe", "je préfère ne pas répondre", "sans opinion", "je ne veux pas répondre à ça"]
)
def test_a_score_may_be_refused(said: str) -> None:
    assert written("fr", "score", said) == SKIPPED


@pytest.mark.parametrize(
    "said",
    ["comment ?", "pardon ?", "hein ?", "pouvez-vous répéter s'il vous plaît", "vous pouvez répéter la question",
     "je n'ai pas compris",
     "encore une fois s'il vous plaît", "j'ai pas entendu"],
)  # fmt: skip
def test_the_question_can_be_heard_again(said: str) -> None:
    assert spoken("fr", "score", said) == REPEAT


@pytest.mark.parametrize(
    "said", ["Personne ne m'a rappelé", "Rien ne marche", "neuf", "oui", "Très bon accueil"]
)
def test_a_comment_is_kept_as_it_was_said(said: str) -> None:
    assert written("fr", "comment", said) == Answer(said)
