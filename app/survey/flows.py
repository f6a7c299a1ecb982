"""The flows of a deployment, and what they speak together."""

from functools import cached_property

from app.survey.flow import Flow
from app.survey.languages import Languages
from app.survey.turn import State
from app.survey.vocabulary import Vocabulary
from app.survey.wording import Wording

DEFAULT_FLOW = "nps"


class Flows(dict[str, Flow]):
    """Flows by their id."""

    @property
    def default(self) -> Flow:
        """The flow that a queue asks which names none; its words are used where no survey is known."""
        return self[DEFAULT_FLOW]

    def wording_of(self, state: State) -> Wording:
        """The words in which a conversation is held."""
        return self[state.flow].wording(state.language)

    @cached_property
    def languages(self) -> Languages:
        """The languages that every flow speaks, under all their names."""
        spoken = frozenset.intersection(*(frozenset(flow.languages) for flow in self.values()))
        aliases = {
            language: wording.aliases
            for flow in self.values()
            for language, wording in flow.languages.items()
        }
        return Languages.of({language: names for language, names in aliases.items() if language in spoken})

    @cached_property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """The words of every language that a flow speaks."""
        wordings = (wording for flow in self.values() for wording in flow.languages.values())
        return {wording.language: wording.vocabulary for wording in wordings}
