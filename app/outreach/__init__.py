"""Reaching people: who may be asked now, the attempt that asks them, and what became of it.

`Planner` tells the rules what the database knows; `AttemptStarter` places an attempt once, at the set pace;
`AttemptTracking` settles it, in whatever order the news comes; `Expiry` ends what nobody answers.
"""

from app.outreach.expiry import LIFETIME, Expiry
from app.outreach.jobs import (
    CollectRecordings,
    ExpireAttempt,
    ExpireSurvey,
    HangUp,
    LookUpAttempt,
    ReconcileAttempt,
    SendReminder,
    StartAttempt,
    WriteToConversation,
)
from app.outreach.pacing import Pacer
from app.outreach.planning import Planner, candidate_of, history_of
from app.outreach.recovery import Recovery
from app.outreach.starting import AttemptStarter
from app.outreach.tracking import AttemptTracking

__all__ = [
    "LIFETIME",
    "AttemptStarter",
    "AttemptTracking",
    "CollectRecordings",
    "ExpireAttempt",
    "ExpireSurvey",
    "Expiry",
    "HangUp",
    "LookUpAttempt",
    "Pacer",
    "Planner",
    "ReconcileAttempt",
    "Recovery",
    "SendReminder",
    "StartAttempt",
    "WriteToConversation",
    "candidate_of",
    "history_of",
]
