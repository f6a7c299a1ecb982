"""What the flows of a deployment speak together."""

from dataclasses import replace
from pathlib import Path

from app.config import load_flows
from app.survey import Flows, State

FLOWS = load_flows(Path("flows"))


def two() -> Flows:
    """The flow of the product, and one beside it that speaks only English and Norwegian."""
    nps = FLOWS.default
    spoken = {language: nps.languages[language] for language in ("en", "nb")}
    return Flows(nps=nps, short=replace(nps, id="short", languages=spoken, default_language="nb"))


def test_a_conversation_is_held_in_the_words_of_its_own_flow_and_language() -> None:
    flows = two()
    for flow, language, words in (("nps", "pl", "pl"), ("short", "en", "en"), ("short", "pl", "nb")):
        state = State(flow=flow, language=language, step=None, context={})
        assert flows.wording_of(state).language == words


def test_only_what_every_flow_speaks_is_offered_and_everything_spoken_has_its_words() -> None:
    flows = two()
    assert flows.languages.codes == {"en", "nb"}
    assert flows.languages.find("no-NO") == "nb"
    assert flows.vocabularies.keys() == FLOWS.default.languages.keys()


def test_who_is_not_known_is_spoken_to_in_the_default_language() -> None:
    assert FLOWS.default.wording(None).language == FLOWS.default.default_language
