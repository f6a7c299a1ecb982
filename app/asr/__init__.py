"""Hearing without sending anyone's voice away: the call's audio, and the recognisers that run on this machine.

`MediaStreams` holds the WebSockets of calls that are heard here; `Recognisers` chooses the engine of each question
and counts the callers it may hear at once; `Transcripts` turns recorded comments into text afterwards.
"""

from app.asr.pool import RecognitionPool
from app.asr.recognition import Recognisers
from app.asr.stream import MediaStreams
from app.asr.transcripts import Transcripts

__all__ = [
    "MediaStreams",
    "Recognisers",
    "RecognitionPool",
    "Transcripts",
]
