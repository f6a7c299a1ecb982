"""What Polish speakers say and write, and what is understood."""

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
    "dziewięć": 9, "Dziewięć.": 9, "dziewiec": 9, "DZIEWIĘĆ!!!": 9, "dziewięć na dziesięć": 9,
    "dziewięć z dziesięciu": 9, "9 z 10": 9, "9 na 10": 9, "9/10": 9, "dziesięć na dziesięć": 10,
    "oceniam na dziesięć": 10, "oceniam na dziewięć na dziesięć": 9, "osiem punktów na dziesięć": 8,
    "jeden na dziesięć": 1, "jeden z dziesięciu": 1, "dałbym dziewiątkę": 9, "dałabym ósemkę": 8,
    "daję siódemkę": 7, "szóstka": 6, "szostka": 6, "mocna szóstka": 6, "piątka": 5, "no to piątkę": 5,
    "czwórkę": 4, "trójka": 3, "trója": 3, "dwójka": 2, "dwója": 2, "jedynka": 1, "jedynkę": 1, "jeden": 1,
    "daję jeden": 1, "dam jeden, bo nikt nie oddzwonił": 1, "zero": 0, "okrągłe zero": 0, "zera bym dał": 0,
    "dycha": 10, "daję dychę": 10, "dyszka": 10, "dziesiątka": 10, "dziesiątkę poproszę": 10,
    "pełna dziesiątka": 10, "yyy, no chyba siedem": 7, "siedem, może": 7, "niech będzie osiem": 8,
    "powiedzmy siedem": 7, "powiedziałbym, że osiem": 8, "myślę że dziewięć": 9, "moja ocena to 9": 9,
    "moim zdaniem sześć": 6, "ode mnie dziesięć": 10, "tak z siedem": 7, "tak, dziewięć": 9,
    "no, dziewięć": 9, "stawiam pięć": 5, "wystawiam ocenę pięć": 5, "jakieś cztery": 4, "około 7": 7,
    "mniej więcej siedem": 7, "dziewięć, dziękuję": 9, "10, pozdrawiam": 10, "8 pkt": 8, "9-tka": 9,
    "9tka": 9, "10-tkę": 10, "piec": 5, "szesc": 6, "pięć, bo długo czekałem": 5,
    "3, nie rozwiązali mojego problemu": 3, "3 bo nikt nie oddzwonił": 3, "Nie rozwiązali sprawy. 2": 2,
    "nie jest źle, siedem": 7, "nie narzekam, osiem": 8, "nie wiem, siedem": 7, "nie wiem, może siedem": 7,
    "bez wątpienia dziesięć": 10, "na sto procent dziewięć": 9, "zero, w ogóle": 0, "zero, nie polecam": 0,
    "nie polecam, zero": 0, "wcale nie, zero": 0, "w skali od 0 do 10 daję 8": 8,
    "w skali od zera do dziesięciu: siedem": 7, "jeśli mam być szczery, cztery": 4, "siedmiu": 7,
    "sześciu": 6, "dwie": 2, "siódemeczka": 7, "oceniam obsługę na dziesięć": 10, "trzy, nie polecam": 3,
}  # fmt: skip

UNCLEAR_SCORES = {
    "dzień dobry": NO_NUMBER, "nie wiem": NO_NUMBER, "trudno powiedzieć": NO_NUMBER,
    "bardzo prawdopodobne": NO_NUMBER, "nie dziesięć": NEGATED, "nie dziesiątka": NEGATED,
    "to nie jest dziewiątka": NEGATED, "nie dałbym dziesiątki": NEGATED, "na pewno nie dziesięć": NEGATED,
    "zdecydowanie nie dziewięć": NEGATED, "nie powiedziałbym, że dziesięć": NEGATED, "dziesięć? nie": NEGATED,
    "dziesięć to nie jest": NEGATED, "raczej nie dziewięć": NEGATED, "prawie dziesięć": NEGATED,
    "mniej niż pięć": NEGATED, "więcej niż osiem": NEGATED, "ponad osiem": NEGATED,
    "co najmniej siedem": NEGATED, "minus pięć": NEGATED, "dziesięć, gdyby nie kolejka": NEGATED,
    "nie wiem czy dziewięć": NEGATED, "nie zero": NEGATED, "byłoby dziesięć": NEGATED,
    "absolutnie nie zero": NEGATED, "żadna dziesiątka": NEGATED, "nigdy dziesiątka": NEGATED,
    "siedem albo osiem": TWO, "siedem, osiem": TWO, "siedem czy osiem": TWO, "7 lub 8": TWO, "7-8": TWO,
    "między sześć a siedem": TWO, "od sześciu do ośmiu": TWO, "pięć, nie, sześć": TWO,
    "siedem, przepraszam, osiem": TWO, "jeden lub dwa": TWO, "nie dziewięć tylko osiem": TWO,
    "dziewięć, nie dziesięć": TWO, "siedem i pół": OUTSIDE, "pół": NO_NUMBER,
    "siedem przecinek pięć": OUTSIDE, "7,5": OUTSIDE, "półtora": NO_NUMBER, "jedenaście": OUTSIDE,
    "dwadzieścia dziewięć": OUTSIDE, "dwadzieścia": OUTSIDE, "sto": OUTSIDE, "dwieście pięć": OUTSIDE,
    "dziewięćdziesiąt dziewięć": OUTSIDE, "dziewięćdziesiąt": OUTSIDE, "tysiąc": OUTSIDE,
    "sto na dziesięć": OUTSIDE, "dziewięć na sto": OUTSIDE, "pięć na pięć": OUTSIDE, "9 na 5": OUTSIDE,
    "5 z 5": OUTSIDE, "dwanaście na dziesięć": OUTSIDE, "osiemnastka": NO_NUMBER, "sto procent": OUTSIDE,
    "9 procent": NO_NUMBER, "dziesięć minut": NO_NUMBER, "czekałem 10 minut": NO_NUMBER,
    "dzwoniłem trzy razy": NO_NUMBER, "5 gwiazdek": NO_NUMBER, "pięć gwiazdek": NO_NUMBER,
    "rozmawiałem z dwoma konsultantami": NO_NUMBER, "jeden z najlepszych": NO_NUMBER,
    "jeden konsultant był niemiły": NO_NUMBER, "zero problemów": NO_NUMBER, "zadzwońcie o 9": NEGATED,
    "dziewiąta": NO_NUMBER, "o dziewiątej": NO_NUMBER, "w skali od 0 do 10": NO_NUMBER,
    "hopla na dziesięć": NO_NUMBER, "nie jestem zadowolony, dziewięć": NEGATED,
}  # fmt: skip


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_a_score_is_heard(said: str, score: int) -> None:
    assert written("pl", "score", said) == Answer(score)
    assert spoken("pl", "score", said, confidence=0.9) == Answer(score)


@pytest.mark.parametrize(("said", "hearing"), UNCLEAR_SCORES.items())
def test_what_is_in_doubt_is_asked_again(said: str, hearing: Hearing) -> None:
    assert written("pl", "score", said) == hearing
    assert spoken("pl", "score", said, confidence=0.9) == hearing


@pytest.mark.parametrize(
    "said",
    [
        "stop", "STOP!", "proszę stop", "nie, stop", "stop, dziękuję", "rezygnuję", "REZYGNUJĘ", "rezygnuje",
        "wypisz", "wypisz mnie", "nie dzwońcie", "Nie dzwońcie do mnie więcej!", "proszę do mnie nie dzwonić",
        "proszę więcej nie dzwonić", "proszę przestać dzwonić", "nie życzę sobie takich telefonów",
        "proszę mnie usunąć z listy", "wypiszcie mnie proszę", "STOPP", "AVSLUTT", "ARRET", "arrêt",
        "UNSUBSCRIBE", "cofam zgodę", "przestańcie",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["score", "comment", "yes_no"])
def test_opting_out_is_heard_at_every_question(kind: AskKind, said: str) -> None:
    assert written("pl", kind, said) == STOP


@pytest.mark.parametrize(
    "said",
    [
        "nie mogę przestać polecać", "przystanek był za daleko", "nie rezygnuję z usług",
        "nie chcę się wypisać", "musicie przestać zmieniać konsultantów", "stop and go na infolinii",
        "konsultant mówił, że rezygnuje z pracy",
    ],
)  # fmt: skip
def test_a_comment_about_stopping_is_a_comment(said: str) -> None:
    assert written("pl", "comment", said) == Answer(said)


YES_OR_NO = {
    "tak": YES, "Tak!": YES, "tak poproszę": YES, "tak, poproszę": YES, "poproszę": YES, "no tak": YES,
    "jasne": YES, "pewnie": YES, "oczywiście": YES, "chętnie": YES, "zgadza się": YES, "dobrze": YES,
    "czemu nie": YES, "nie ma problemu": YES, "ok": YES, "tak, dziewięć": YES, "raczej tak": YES,
    "no jasne, że tak": YES, "tak, proszę zadzwonić jutro": YES, "👍": YES, "nie": NO, "Nie.": NO,
    "nie, dziękuję": NO, "nie dziękuję": NO, "nie trzeba": NO, "raczej nie": NO, "niekoniecznie": NO,
    "oczywiście że nie": NO, "absolutnie nie": NO, "nie, dziesięć": NO, "nie zgadza się": NO, "nie chcę": NO,
    "nie teraz": NO, "nie ma takiej potrzeby": NO, "skądże": NO, "nie, nie chcę": NO, "tak i nie": NO_YES_NO,
    "tak, to znaczy nie": NO_YES_NO, "nie wiem": NO_YES_NO, "może": NO_YES_NO, "no": NO_YES_NO,
    "siedem": NO_YES_NO, "słucham?": REPEAT, "proszę powtórzyć": REPEAT, "pomiń": SKIPPED,
}  # fmt: skip


@pytest.mark.parametrize(("said", "hearing"), YES_OR_NO.items())
def test_yes_or_no(said: str, hearing: Hearing) -> None:
    assert written("pl", "yes_no", said) == hearing


@pytest.mark.parametrize(
    "said",
    ["pomiń", "proszę pominąć", "nic", "nie", "Nie!", "nie, dziękuję", "brak", "brak uwag", "nie mam nic do dodania",
     "nie wiem",
     "bez komentarza", "to wszystko", "dalej"],
)  # fmt: skip
def test_having_nothing_to_say_skips_the_open_question(said: str) -> None:
    assert written("pl", "comment", said) == SKIPPED


@pytest.mark.parametrize(
    "said", ["pomiń", "nie chcę odpowiadać na to pytanie", "wolę nie mówić", "nie odpowiem"]
)
def test_a_score_may_be_refused(said: str) -> None:
    assert written("pl", "score", said) == SKIPPED


@pytest.mark.parametrize(
    "said",
    ["słucham?", "slucham", "proszę powtórzyć", "czy może pani powtórzyć pytanie?", "co?", "jeszcze raz proszę",
     "nie zrozumiałem pytania",
     "nie dosłyszałam", "przepraszam?"],
)  # fmt: skip
def test_the_question_can_be_heard_again(said: str) -> None:
    assert spoken("pl", "score", said) == REPEAT


@pytest.mark.parametrize(
    "said", ["Nic nie działa", "Nie oddzwonili do mnie", "dziewięć", "Co za obsługa", "tak"]
)
def test_a_comment_is_kept_as_it_was_said(said: str) -> None:
    assert written("pl", "comment", said) == Answer(said)
