"""The shipped survey and its wording: what every language must say, and where."""

from pathlib import Path

import pytest

from app.carrier.segments import segments
from app.config import load_flows
from app.survey import Answer, Ask, Branch, Prompt, PromptTexts, Wording, Words, follow, placeholders
from app.survey.conditions import parse
from app.survey.flow import STANDARD_PROMPTS
from app.survey.hear import Skipped, hear

FLOW = load_flows(Path("flows"))["nps"]
LANGUAGES = sorted(FLOW.languages)
BRAND = "Nordisk Energi"
VOICE_ALONE = {"recording_notice", "score_one_or_ten", "answer_after_tone", "inbound_no_survey"}
QUESTIONS = {
    "en": "How likely is it that you would recommend {brand} to a friend or colleague, "
    "from 0, not at all likely, to 10, extremely likely?",
    "nb": "På en skala fra 0 til 10, hvor sannsynlig er det at du vil anbefale {brand} til en venn eller en kollega?",
    "pl": "W skali od 0 do 10, jak prawdopodobne jest, że poleci Pan/Pani {brand} znajomemu lub współpracownikowi?",
    "fr": "Sur une échelle de 0 à 10, quelle est la probabilité "
    "que vous recommandiez {brand} à un ami ou à un collègue ?",
}
# On the phone every second counts: the same question, with its scale inside.
VOICE_QUESTIONS = {
    "en": "How likely are you to recommend {brand} to a friend or colleague, 0 being not at all, 10 extremely?",
    "nb": "Fra 0, slett ikke, til 10, helt sikkert: vil du anbefale {brand} til en venn eller kollega?",
    "pl": "Od 0, na pewno nie, do 10, na pewno tak: czy poleci Pan lub Pani {brand} znajomym?",
    "fr": "De 0, pas du tout, à 10, sans hésiter, recommanderiez-vous {brand} à un ami ou à un collègue ?",
}
REASONS = {
    "en": "What is the main reason for your score?",
    "nb": "Hva er hovedårsaken til poengsummen din?",
    "pl": "Jaki jest główny powód tej oceny?",
    "fr": "Quelle est la raison principale de votre note ?",
}


def said(wording: Wording, name: str, channel: str) -> str:
    return wording.text(wording.prompt(name, {"brand": BRAND, "score": "6"}), channel)


def test_the_four_languages_are_there() -> None:
    assert LANGUAGES == ["en", "fr", "nb", "pl"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_standard_question_is_asked_word_for_word(language: str) -> None:
    wording = FLOW.languages[language]
    assert wording.responses["ask_score"].variant("chat") == QUESTIONS[language]
    assert wording.responses["ask_score"].variant("voice") == VOICE_QUESTIONS[language]
    for band in ("promoter", "passive", "detractor"):
        assert said(wording, f"ask_reason_{band}", "chat").endswith(REASONS[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_is_spoken_and_every_question_is_written(language: str) -> None:
    wording = FLOW.languages[language]
    for name in FLOW.prompts():
        assert said(wording, name, "voice")
        assert bool(said(wording, name, "chat")) == (name not in VOICE_ALONE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_prompt_is_worded_that_nothing_says(language: str) -> None:
    assert set(FLOW.languages[language].responses) == FLOW.prompts()


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_of_a_telephone_are_named_only_on_the_telephone(language: str) -> None:
    wording = FLOW.languages[language]
    keys = [
        "press",
        "star",
        "keypad",
        "gwiazdk",
        "nacisn",
        "naciśn",
        "trykk",
        "stjerne",
        "étoile",
        "appuyez",
        "tapez",
        "clavier",
    ]
    for name in FLOW.prompts():
        for channel in ("chat", "sms", "whatsapp"):
            words = said(wording, name, channel).lower().split()
            assert not [word for word in words for key in keys if word.startswith(key)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_caller_says_who_calls_that_it_is_automated_and_how_to_opt_out(language: str) -> None:
    star = {"en": "star", "pl": "gwiazdk", "nb": "stjerne", "fr": "étoile"}[language]
    for name in ("greeting", "resume_greeting"):
        greeting = said(FLOW.languages[language], name, "voice")
        assert BRAND in greeting
        assert star in greeting.lower()
        assert "autom" in greeting
    for channel in ("sms", "whatsapp", "chat"):
        assert "autom" in said(FLOW.languages[language], "greeting", channel).lower()
        assert "stop" in said(FLOW.languages[language], "greeting", channel).lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_message_fits_one_segment_and_every_other_two(language: str) -> None:
    wording = FLOW.languages[language]
    assert segments(said(wording, "greeting", "sms") + "\n" + said(wording, "ask_score", "sms")).count == 1
    for name in FLOW.prompts():
        assert segments(said(wording, name, "sms")).count <= 2, name


@pytest.mark.parametrize("language", ["en", "nb", "fr"])
def test_no_message_leaves_the_seven_bit_alphabet_where_the_language_allows(language: str) -> None:
    wording = FLOW.languages[language]
    for name in FLOW.prompts():
        assert segments(said(wording, name, "sms")).encoding == "GSM-7", name


@pytest.mark.parametrize("language", LANGUAGES)
def test_quick_replies_are_heard_as_what_they_show(language: str) -> None:
    wording = FLOW.languages[language]

    def heard(kind: str, payload: str) -> object:
        return hear(kind, Words(payload), wording.vocabulary)  # type: ignore[arg-type]

    assert [heard("score", each.payload) for each in wording.buttons(Ask("score", "score", 5))] == [
        Answer(number) for number in range(11)
    ]
    yes, no = wording.buttons(Ask("yes_no", "callback", 5, optional=True))
    assert (heard("yes_no", yes.payload), heard("yes_no", no.payload)) == (Answer(True), Answer(False))
    [skip] = wording.buttons(Ask("comment", "reason", 5, optional=True))
    assert heard("comment", skip.payload) == Skipped()


def test_a_read_back_offers_yes_before_the_numbers() -> None:
    buttons = FLOW.wording("en").buttons(Ask("score", "score", 5, read_back=True))
    assert [each.title for each in buttons] == ["Yes", *map(str, range(11))]


def test_the_apology_needs_no_value() -> None:
    for wording in FLOW.languages.values():
        assert wording.prompt("apology", {}) == Prompt("apology")


def test_the_read_back_says_the_score() -> None:
    for wording in FLOW.languages.values():
        assert "6" in wording.text(Prompt("read_back_score", (("score", "6"),)), "voice")


def test_a_channel_takes_its_own_words_then_those_for_messages_then_the_default() -> None:
    response = PromptTexts({"default": "d", "text": "t", "sms": "s", "voice": "v"})
    assert "".join(map(response.variant, ("sms", "whatsapp", "voice", "chat", "kiosk"))) == "stvdd"
    assert PromptTexts({"voice": "v"}).variant("chat") == ""


def test_a_brand_with_brackets_in_its_name_is_said_as_it_is() -> None:
    wording = FLOW.wording("en")
    prompt = wording.prompt("greeting", {"brand": "{score} & {0}"})
    assert "{score} & {0}" in wording.text(prompt, "voice")


@pytest.mark.parametrize("text", ["{0}", "{}", "{brand.x}", "{brand!r}", "{brand:>9}", "{name}", "{brand"])
def test_only_plain_known_placeholders_are_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        placeholders(text)


def test_a_way_is_taken_by_the_first_condition_that_holds() -> None:
    ways = (
        Branch("high", parse("slots.score >= 9")),
        Branch("middle", parse("slots.score >= 7")),
        Branch("low"),
    )
    assert [follow(ways, {"score": score}) for score in (10, 8, 0)] == ["high", "middle", "low"]
    assert follow(ways, {}) == "low"


def test_the_standard_prompts_belong_to_every_flow() -> None:
    assert FLOW.prompts() >= STANDARD_PROMPTS


def test_a_flow_is_shown_without_its_words() -> None:
    assert len(repr(FLOW)) < 5_000
