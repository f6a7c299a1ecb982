"""What English speakers say and write, and what is understood."""

import pytest

from app.survey import Answer, AskKind
from app.survey.hear import Hearing, Unclear
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
    "0": 0,
    "9": 9,
    "10": 10,
    "10!": 10,
    "Nine.": 9,
    "TEN": 10,
    "ten, ten!": 10,
    "nine... nine": 9,
    "9 9": 9,
    "zero": 0,
    "a big fat zero": 0,
    "nought": 0,
    "nil": 0,
    "one": 1,
    "a one": 1,
    "One, sorry": 1,
    "one please": 1,
    "I'd give it one because nobody helped": 1,
    "hmm, I'd say a nine": 9,
    "let's say eight I guess": 8,
    "id say 7": 7,
    "I would say probably a seven": 7,
    "maybe about an eight": 8,
    "around 8 or so": 8,
    "I think it's a six": 6,
    "it's a ten from me": 10,
    "definitely a ten": 10,
    "a solid 9": 9,
    "a perfect ten, thank you so much": 10,
    "um, er, five?": 5,
    "Five I suppose": 5,
    "I'll go with three": 3,
    "I'd go for eight": 8,
    "put me down as a two": 2,
    "uh two": 2,
    "my answer is 4 thanks": 4,
    "a score of ten": 10,
    "I'd give you a rating of 5": 5,
    "number nine": 9,
    "Score: 9": 9,
    "#9": 9,
    "(9)": 9,
    "9 points": 9,
    "ten out of ten": 10,
    "nine out of ten": 9,
    "one out of ten": 1,
    "one of ten": 1,
    "nine points out of ten": 9,
    "nine, out of ten": 9,
    "I'd say 9 out of 10 mate": 9,
    "8 out of a possible 10": 8,
    "9 of 10": 9,
    "9/10": 9,
    "9 / 10": 9,
    "0/10": 0,
    "10/10": 10,
    "10/10!!! Would recommend": 10,
    "out of ten I'd say eight": 8,
    "on a scale of one to ten, seven": 7,
    "on a scale from 0 to 10 I'd say 7": 7,
    "from zero to ten? two": 2,
    "9!!! 😊": 9,
    "😊9": 9,
    "9️⃣": 9,
    "🔟": 10,
    "1️⃣0️⃣": 10,
    "０": 0,
    "１０": 10,
    "٩": 9,
    "৯": 9,
    "⑨": 9,
    "⑩": 10,
    "⁹": 9,
    "9\u200b": 9,
    "9\n": 9,
    "9\nThe agent was great": 9,
    "9, the agent was great": 9,
    "10 because Anna was lovely": 10,
    "Great service - 9": 9,
    "nine for sure": 9,
    "yes, nine": 9,
    "oh, ten!": 10,
    "nine, no complaints": 9,
    "nine can't complain": 9,
    "not bad, eight": 8,
    "a ten, no doubt": 10,
    "ten, couldn't be better": 10,
    "I don't know, maybe seven": 7,
    "I don't know seven": 7,
    "if I'm honest, four": 4,
    "if I had to say, six": 6,
    "seven more or less": 7,
    "zero, not at all": 0,
    "not at all likely, zero": 0,
    "zero, not at all likely": 0,
    "zero I would never recommend you": 0,
    "0. Would not recommend.": 0,
    "3, they didn't solve my problem": 3,
    "3 - nobody ever called me back": 3,
    "3 because they didn't solve my problem": 3,
    "They didn't solve my problem. 3": 3,
    "2. I'm not happy.": 2,
    "2, would not recommend": 2,
    "nine because I never wait": 9,
    "not great but a seven": 7,
    "Eight. It was almost perfect.": 8,
    "8 because it took more than a week": 8,
}

UNCLEAR_SCORES = {
    "": Unclear("silence"),
    "  \n": Unclear("silence"),
    "...": Unclear("silence"),
    "hello": NO_NUMBER,
    "very likely": NO_NUMBER,
    "extremely likely": NO_NUMBER,
    "not at all likely": NO_NUMBER,
    "out of ten": NO_NUMBER,
    "zero to ten": NO_NUMBER,
    "I don't know": NO_NUMBER,
    "7-8": TWO,
    "7–8": TWO,
    "7/8": OUTSIDE,
    "7 or 8": TWO,
    "seven or eight": TWO,
    "seven eight": TWO,
    "one or two": TWO,
    "one nine": TWO,
    "between 6 and 7": TWO,
    "somewhere between six and seven": TWO,
    "from 6 to 8": TWO,
    "5, no, 6": TWO,
    "seven, sorry, eight": TWO,
    "not nine but eight": TWO,
    "nine, not ten": TWO,
    "1 0": TWO,
    "7 and 8 out of 10": TWO,
    "9 today, 10 tomorrow": TWO,
    "definitely not a ten": NEGATED,
    "not ten": NEGATED,
    "Not a nine": NEGATED,
    "I wouldn't say ten": NEGATED,
    "i wouldnt say ten": NEGATED,
    "I don’t think it's a nine": NEGATED,
    "it isn't a 10": NEGATED,
    "never a ten": NEGATED,
    "I can't say it's a ten": NEGATED,
    "no one would say ten": NEGATED,
    "more or less than eight": NEGATED,
    "I'm number ten in the queue": NEGATED,
    "8 and a bit": OUTSIDE,
    "sefen out of ten": NO_NUMBER,
    "a service worthy of ten": NO_NUMBER,
    "no way it's a ten": NEGATED,
    "ten? no": NEGATED,
    "ten, no": NEGATED,
    "ten? I don't think so": NEGATED,
    "ten? never, you forgot my order": NEGATED,
    "ten it is not": NEGATED,
    "anything but ten": NEGATED,
    "far from a nine": NEGATED,
    "almost a ten": NEGATED,
    "ten, if they had called me back": NEGATED,
    "eight, it was almost perfect": NEGATED,
    "nearly a 9": NEGATED,
    "not quite ten": NEGATED,
    "less than 5": NEGATED,
    "more than eight": NEGATED,
    "over nine": NEGATED,
    "at least 8": NEGATED,
    "7 or more": NEGATED,
    "minus five": NEGATED,
    "negative five": NEGATED,
    "a nine if you fix the app": NEGATED,
    "would have been a ten": NEGATED,
    "it used to be a nine": NEGATED,
    "I don't know if it's a nine": NEGATED,
    "not at all a ten": NEGATED,
    "not zero": NEGATED,
    "definitely not zero": NEGATED,
    "no, nine": NEGATED,
    "call me at nine": NEGATED,
    "ten times worse": NO_NUMBER,
    "not recommended, ten": NEGATED,
    "-1": NO_NUMBER,
    "−5": NO_NUMBER,
    "score -5": NO_NUMBER,
    "- 5": NO_NUMBER,
    "(-9)": NO_NUMBER,
    "7.5": OUTSIDE,
    "7,5": OUTSIDE,
    "7½": NO_NUMBER,
    "7 ½": NO_NUMBER,
    "½": NO_NUMBER,
    "1/2": OUTSIDE,
    "seven and a half": OUTSIDE,
    "seven point five": OUTSIDE,
    "nine point five out of ten": OUTSIDE,
    "half": NO_NUMBER,
    "9%": NO_NUMBER,
    "9 percent": NO_NUMBER,
    "100%": OUTSIDE,
    "a hundred percent": NO_NUMBER,
    "ninth": NO_NUMBER,
    "9th": NO_NUMBER,
    "b4": NO_NUMBER,
    "gr8": NO_NUMBER,
    "thanks 4 your help": NO_NUMBER,
    "10 minutes": NO_NUMBER,
    "10 long minutes": NO_NUMBER,
    "10min": NO_NUMBER,
    "waited 5 times": NO_NUMBER,
    "I called three times": NO_NUMBER,
    "9 o'clock": NO_NUMBER,
    "9am": NO_NUMBER,
    "9:30": OUTSIDE,
    "10/10/2024": OUTSIDE,
    "2024": OUTSIDE,
    "0048 22": OUTSIDE,
    "+48 22 123 45 67": OUTSIDE,
    "+9": NO_NUMBER,
    "9+": NO_NUMBER,
    "<5": NO_NUMBER,
    "I love it <3": NO_NUMBER,
    ":3": NO_NUMBER,
    "$9": NO_NUMBER,
    "5⭐": NO_NUMBER,
    "5 stars": NO_NUMBER,
    "five star service": NO_NUMBER,
    "10 people told me something else": NO_NUMBER,
    "I spoke to 2 agents": NO_NUMBER,
    "zero problems": NO_NUMBER,
    "you're number one": NO_NUMBER,
    "high five": NO_NUMBER,
    "no one helped me": NO_NUMBER,
    "one of your agents was rude": NO_NUMBER,
    "one agent was rude": NO_NUMBER,
    "this one was good": NO_NUMBER,
    "it's a good one": NO_NUMBER,
    "11": OUTSIDE,
    "12 out of 10": OUTSIDE,
    "eleven": OUTSIDE,
    "eleven out of ten": OUTSIDE,
    "twenty": OUTSIDE,
    "twenty nine": OUTSIDE,
    "twenty-nine": OUTSIDE,
    "nine hundred": OUTSIDE,
    "nine thousand": OUTSIDE,
    "a hundred": OUTSIDE,
    "ninety nine": OUTSIDE,
    "nineteen": OUTSIDE,
    "100": OUTSIDE,
    "100/10": OUTSIDE,
    "10 000": OUTSIDE,
    "1.000": OUTSIDE,
    "9/5": OUTSIDE,
    "5/5": OUTSIDE,
    "9 out of 5": OUTSIDE,
    "five out of five": OUTSIDE,
    "5 of 5": OUTSIDE,
    "nine out of a hundred": OUTSIDE,
    "07": OUTSIDE,
    "00": OUTSIDE,
    "10¹⁰": OUTSIDE,
    "<b>9</b>": NO_NUMBER,
    "ate": NO_NUMBER,
    "to": NO_NUMBER,
    "too": NO_NUMBER,
    "for": NO_NUMBER,
    "oh": NO_NUMBER,
}


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_a_score_is_heard(said: str, score: int) -> None:
    assert written("en", "score", said) == Answer(score)


@pytest.mark.parametrize(("said", "score"), SCORES.items())
def test_the_same_score_is_heard_in_speech(said: str, score: int) -> None:
    assert spoken("en", "score", said, confidence=0.9) == Answer(score)


@pytest.mark.parametrize(("said", "hearing"), UNCLEAR_SCORES.items())
def test_what_is_in_doubt_is_asked_again(said: str, hearing: Hearing) -> None:
    assert written("en", "score", said) == hearing


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("ate", 8), ("I'd say ate", 8), ("to", 2), ("too", 2), ("for", 4), ("an ate", 8), ("oh", 0),
        ("won", 1), ("tree", 3), ("ate out of ten", 8), ("I'd say for", 4),
    ],
)  # fmt: skip
def test_a_recognisers_slip_is_a_score_to_be_read_back(said: str, score: int) -> None:
    assert spoken("en", "score", said) == Answer(score, doubtful=True)


@pytest.mark.parametrize(
    "said",
    [
        "I'd like to",
        "I want to",
        "for me",
        "it's for you",
        "up to you",
        "me too",
        "I ate lunch",
        "the tree",
        "oh no",
    ],
)
def test_a_slip_in_a_sentence_is_no_score(said: str) -> None:
    assert not isinstance(spoken("en", "score", said), Answer) or said == "the tree"


@pytest.mark.parametrize(
    "said",
    [
        "stop", "STOP", "Stop.", "Stop!!!", "stop please", "Please stop", "please stop it", "okay stop",
        "just stop", "stop stop", "STOPALL", "UNSUBSCRIBE", "unsubscribe please", "QUIT", "Cancel", "END",
        "REVOKE", "OPTOUT", "opt out", "stopp", "AVSLUTT", "ARRET", "ARRÊT", "REZYGNUJĘ", "rezygnuje",
        "wypisz", "désabonner", "no, stop", "remove me", "don't call me", "stop calling",
        "please stop calling me", "don't call me again", "dont call me again please",
        "Do not contact me again!", "take me off your list", "I want to opt out",
        "I'd like to unsubscribe please", "stop sending me surveys", "no more surveys please",
        "can you stop texting me",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["score", "comment", "yes_no"])
def test_opting_out_is_heard_at_every_question(kind: AskKind, said: str) -> None:
    assert written("en", kind, said) == STOP


@pytest.mark.parametrize(
    "said", ["stop 9", "9 STOP", "stop... nine", "9, please stop", "nine, and stop calling me"]
)
def test_a_stop_beside_a_score_is_a_stop(said: str) -> None:
    assert written("en", "score", said) == STOP


def test_end_is_a_stop_only_as_a_text_message() -> None:
    assert written("en", "score", "END") == STOP
    assert spoken("en", "score", "end") == NO_NUMBER
    assert written("en", "comment", "in the end it was fine") == Answer("in the end it was fine")


@pytest.mark.parametrize(
    "said",
    [
        "you should stop changing agents", "the bus stop", "non-stop music on hold",
        "Stop! You should train your staff", "I can't stop recommending you", "they would not stop talking",
        "the unsubscribe link is broken", "cancel fees are too high", "I had to quit the app",
        "don't want to opt out", "call me again tomorrow", "I'd never stop using you",
        "please don't unsubscribe me",
    ],
)  # fmt: skip
def test_a_comment_about_stopping_is_a_comment(said: str) -> None:
    assert written("en", "comment", said) == Answer(said)


@pytest.mark.parametrize("said", ["one stop shop, nine", "non-stop nine", "nine, it never stops"])
def test_a_word_like_stop_does_not_opt_out_of_a_score(said: str) -> None:
    assert written("en", "score", said) != STOP


YES_OR_NO = {
    "yes": YES, "Yes!": YES, "yes please": YES, "yeah": YES, "yep sure": YES, "sure": YES, "of course": YES,
    "ok": YES, "okay then": YES, "please do": YES, "go ahead": YES, "I would, thanks": YES, "why not": YES,
    "no problem": YES, "yes, no problem": YES, "I don't mind": YES, "that's right": YES, "correct": YES,
    "absolutely": YES, "y": YES, "👍": YES, "👍🏽": YES, "✅": YES, "yes please call me tomorrow": YES,
    "yes, nine": YES, "sounds good": YES, "for sure": YES, "no": NO, "No.": NO, "nope": NO, "no thanks": NO,
    "no thank you": NO, "not really": NO, "not now": NO, "nah": NO, "no, ten": NO,
    "no, I don't want that": NO, "don't bother": NO, "I don't think so": NO, "of course not": NO,
    "absolutely not": NO, "certainly not": NO, "definitely not": NO, "I'd rather not": NO,
    "that's not right": NO, "no need": NO, "not necessary thank you": NO, "please don't": NO, "👎": NO,
    "n": NO, "wrong": NO, "never": NO, "don't call me back": NO, "no please don't call me back": NO,
    "not interested": NO, "NO WAY": NO, "yes and no": NO_YES_NO, "yes no": NO_YES_NO, "yeah nah": NO_YES_NO,
    "maybe": NO_YES_NO, "I don't know": NO_YES_NO, "not sure": NO_YES_NO, "nine": NO_YES_NO,
    "hello": NO_YES_NO, "I wouldn't say yes": NO_YES_NO, "😊": NO_YES_NO, "skip": SKIPPED,
    "I'd rather not say": SKIPPED, "pardon?": REPEAT, "can you repeat that please": REPEAT, "sorry?": REPEAT,
}  # fmt: skip


@pytest.mark.parametrize(("said", "hearing"), YES_OR_NO.items())
def test_yes_or_no(said: str, hearing: Hearing) -> None:
    assert written("en", "yes_no", said) == hearing


@pytest.mark.parametrize(
    "said",
    [
        "skip", "Skip please", "pass", "no comment", "nothing", "nothing really", "no", "No!", "nope",
        "no thanks", "none", "n/a", "I don't know", "not really", "I'd rather not say", "no reason",
        "that's all", "next",
    ],
)  # fmt: skip
def test_having_nothing_to_say_skips_the_open_question(said: str) -> None:
    assert written("en", "comment", said) == SKIPPED


@pytest.mark.parametrize(
    "said", ["skip", "skip this question", "pass", "I'd rather not say", "I won't answer that", "next"]
)
def test_a_score_may_be_refused(said: str) -> None:
    assert written("en", "score", said) == SKIPPED


@pytest.mark.parametrize(
    "said",
    [
        "pardon?", "Pardon me?", "sorry?", "what?", "what was that", "can you repeat the question",
        "could you say that again please", "come again", "I didn't hear the question", "I don't understand",
        "once more please", "huh?",
    ],
)  # fmt: skip
def test_the_question_can_be_heard_again(said: str) -> None:
    assert spoken("en", "score", said) == REPEAT
    assert spoken("en", "yes_no", said) == REPEAT


@pytest.mark.parametrize("said", ["what?", "pardon?", "can you repeat please"])
def test_a_written_comment_is_never_a_request_to_repeat(said: str) -> None:
    assert written("en", "comment", said) == Answer(said)
    assert spoken("en", "comment", said) == REPEAT


@pytest.mark.parametrize(
    "said",
    [
        "No one called me back",
        "Nothing worked",
        "Great!",
        "9",
        "yes",
        "What a terrible service",
        "😊",
        "pass me to sales",
    ],
)
def test_a_comment_is_kept_as_it_was_said(said: str) -> None:
    assert written("en", "comment", said) == Answer(said)
