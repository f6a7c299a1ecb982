"""An operator's words are found whole, whatever their case and accents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.words import WordList, folded


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("cancel", "I will CANCEL."),
        ("lawyer", "ask my lawyer's office"),
        ("zażalenie", "składam ZAŻALENIE"),
        ("zażalenie", "skladam zazalenie"),
        ("zazalenie", "Zażalenie!"),
        ("skarga", "to jest skarga;druga"),
        ("łódź", "z Lodzi? nie, lodz"),
        ("oppsigelse", "vil ha OPPSIGELSE nå"),
        ("må", "jeg ma slutte"),
        ("kjøp", "angrer på kjop"),
        ("résilier", "je veux Resilier"),
        ("reclamation", "une réclamation écrite"),
        ("cœur", "a contre coeur"),
        ("straße", "in der STRASSE"),
        ("call back", "please call\n back"),
        ("call back", "a call-back, please"),
        ("prawnik*", "rozmawiam z prawnikiem"),
        ("prawnik*", "prawnik"),
        ("l'avocat", "c’est l’avocat qui"),
        ("24", "within 24 hours"),
    ],
)
def test_a_word_is_found(word: str, text: str) -> None:
    assert WordList.of([word]).found_in(text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("cancel", "cancelled"),
        ("cat", "concatenate"),
        ("prawnik*", "bezprawnik"),
        ("call back", "call me back"),
        ("24", "2400"),
        ("24", "1 240"),
        ("skarga", ""),
        ("a.c", "abc"),
    ],
)
def test_a_part_of_a_word_is_not(word: str, text: str) -> None:
    assert not WordList.of([word]).found_in(text)


def test_any_of_the_words_is_enough_and_no_comment_holds_none() -> None:
    words = WordList.of(["lawyer", "avocat", "prawnik*"])
    assert words.found_in("mon avocat")
    assert not words.found_in(None)


@pytest.mark.parametrize("word", ["", "***", "…", "_"])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is no word"):
        WordList.of([word])


@given(st.text())
def test_any_text_can_be_searched_and_folding_twice_changes_nothing(text: str) -> None:
    WordList.of(["cancel*", "call back"]).found_in(text)
    assert folded(folded(text)) == folded(text)


@given(st.lists(st.sampled_from(["Zażółć", "gęślą", "JAŹŃ", "får", "élan"]), min_size=1, max_size=5))
def test_every_word_of_a_text_is_found_in_it(said: list[str]) -> None:
    for word in said:
        assert WordList.of([word]).found_in(", ".join(said))
