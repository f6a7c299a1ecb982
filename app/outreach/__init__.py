"""Reaching people: who may be asked now, the attempt that asks them, and what became of it.

`Planner` tells the rules what the database knows; `AttemptStarter` places an attempt once, at the set pace;
`AttemptTracking` settles it, in whatever order the news comes; `Expiry` ends what nobody answers.
"""

from app.outreach.expiry import LIFETIME, Expiry, expire_job
from app.outreach.jobs import start_job
from app.outreach.pacing import Pacer
from app.outreach.planning import Planner, candidate_of, history_of
from app.outreach.starting import COME_BACK_EARLIER, HELD_IN_HAND_SECONDS, AttemptStarter
from app.outreach.tracking import AttemptTracking

__all__ = [
    "COME_BACK_EARLIER",
    "HELD_IN_HAND_SECONDS",
    "LIFETIME",
    "AttemptStarter",
    "AttemptTracking",
    "Expiry",
    "Pacer",
    "Planner",
    "candidate_of",
    "expire_job",
    "history_of",
    "start_job",
]
