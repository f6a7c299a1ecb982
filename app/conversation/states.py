"""Conversation states that this process has just written, so that the next turn need not read them back."""

from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

from app.survey import State


@dataclass
class StateCache:
    """The newest states, by survey and turn.

    The state of a survey at a turn never changes, and only the winner of the compare-and-swap on that turn is saved,
    so what is remembered here may be missing but is never wrong. Messages that nobody answers leave theirs here,
    about 1 kB each; the ``limit`` leaves room for all the calls that there may be at once.
    """

    limit: int = 2_000
    _states: OrderedDict[UUID, tuple[int, State]] = field(default_factory=OrderedDict)

    def remember(self, survey_id: UUID, turn_no: int, state: State) -> None:
        """Keep the state that the next heard at ``turn_no`` starts from; a finished conversation is let go."""
        self._states.pop(survey_id, None)
        if state.step is not None:
            self._states[survey_id] = (turn_no, state)
            if len(self._states) > self.limit:
                self._states.popitem(last=False)

    def recall(self, survey_id: UUID, turn_no: int) -> State | None:
        """The state at exactly this turn, or None."""
        known = self._states.get(survey_id)
        return known[1] if known is not None and known[0] == turn_no else None

    def forget(self, survey_id: UUID) -> None:
        """Let go of what another process has overtaken."""
        self._states.pop(survey_id, None)
