"""Sound as samples: the telephone's mu-law, WAV files, and what makes recordings sound alike. Pure."""

from app.audio.shaping import TARGET_DB, Shaped, speech_level
from app.audio.telephone import FRAME_MILLISECONDS
from app.audio.wav import UnusableAudio, samples_of

__all__ = [
    "FRAME_MILLISECONDS",
    "TARGET_DB",
    "Shaped",
    "UnusableAudio",
    "samples_of",
    "speech_level",
]
