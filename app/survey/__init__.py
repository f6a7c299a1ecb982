"""The conversation itself: pure functions over frozen values. No I/O, no clock, no framework.

`begin` and `step` give the next `Turn` from a `State` and what was `Heard`; `decide` and `recheck` say who may be asked
and when; `hear` finds the one score in a sentence, or says that there is none.
"""

from app.survey.calling_hours import Hours
from app.survey.dialogue import begin, step
from app.survey.eligibility import Candidate, Eligible, History, Skip, SurveyBy, decide, recheck
from app.survey.flow import Branch, CollectStep, Flow, NoopStep, Question, Rejection, SayStep, Step, follow
from app.survey.flows import DEFAULT_FLOW, Flows
from app.survey.hear import CARRIER_STOPS_WRITTEN, LONGEST_COMMENT, SURE_CONFIDENCE, Answer, Stop
from app.survey.heard import Heard, Keys, Left, Silence, Unheard, Words
from app.survey.languages import Languages, primary
from app.survey.nps import Tally, band, rounded
from app.survey.phrases import ABOVE_TEN, Label, PhrasePiece
from app.survey.rules import CallingHours, Rules
from app.survey.tokens import is_word
from app.survey.turn import (
    RECORDING_NOTICE,
    Abandoned,
    Ask,
    AskKind,
    Band,
    CallbackChosen,
    Commented,
    Completed,
    Fact,
    OptedOut,
    Prompt,
    Scored,
    State,
    Turn,
)
from app.survey.vocabulary import Vocabulary
from app.survey.wording import Button, PromptTexts, Wording, placeholders

__all__ = [
    "ABOVE_TEN",
    "CARRIER_STOPS_WRITTEN",
    "DEFAULT_FLOW",
    "LONGEST_COMMENT",
    "RECORDING_NOTICE",
    "SURE_CONFIDENCE",
    "Abandoned",
    "Answer",
    "Ask",
    "AskKind",
    "Band",
    "Branch",
    "Button",
    "CallbackChosen",
    "CallingHours",
    "Candidate",
    "CollectStep",
    "Commented",
    "Completed",
    "Eligible",
    "Fact",
    "Flow",
    "Flows",
    "Heard",
    "History",
    "Hours",
    "Keys",
    "Label",
    "Languages",
    "Left",
    "NoopStep",
    "OptedOut",
    "PhrasePiece",
    "Prompt",
    "PromptTexts",
    "Question",
    "Rejection",
    "Rules",
    "SayStep",
    "Scored",
    "Silence",
    "Skip",
    "State",
    "Step",
    "Stop",
    "SurveyBy",
    "Tally",
    "Turn",
    "Unheard",
    "Vocabulary",
    "Wording",
    "Words",
    "band",
    "begin",
    "decide",
    "follow",
    "is_word",
    "placeholders",
    "primary",
    "recheck",
    "rounded",
    "step",
]
