"""One turn, one transaction: the only caller of the dialogue.

`Conversations.take_turn(survey_id, turn_no, heard)` reads the state, steps, and saves state, response and roll-up by
one compare-and-swap on ``turn_no``. The same turn again returns what was stored; a stale one changes nothing.
"""

from app.conversation.jobs import FollowResponse, TranscribeRecording
from app.conversation.saving import TurnWriter
from app.conversation.turns import Conversations, CurrentTurn

__all__ = [
    "Conversations",
    "CurrentTurn",
    "FollowResponse",
    "TranscribeRecording",
    "TurnWriter",
]
