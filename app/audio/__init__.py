"""Sound: one channel of 16-bit samples at a rate, and all that reads, writes or changes it.

`Sound` is what every room holds; `read_wav` and `write_wav` are its file, `open_recording` opens the other files that
people bring. `telephone` turns samples into the mu-law of a phone line and back, and `shape` makes recordings sound
alike. What cannot be used is refused with `UnusableSound`, which says why.
"""

from app.audio.decoding import INSTALL_FFMPEG, ffmpeg_path, open_recording, recordings_in
from app.audio.shaping import TARGET_DB, Shaped, at_telephone_rate, shape, speech_level
from app.audio.sound import TELEPHONE_RATE, Sound, UnusableSound, mix
from app.audio.telephone import FRAME_MILLISECONDS
from app.audio.wav import is_playable, read_channels, read_wav, write_wav

__all__ = [
    "FRAME_MILLISECONDS",
    "INSTALL_FFMPEG",
    "TARGET_DB",
    "TELEPHONE_RATE",
    "Shaped",
    "Sound",
    "UnusableSound",
    "at_telephone_rate",
    "ffmpeg_path",
    "is_playable",
    "mix",
    "open_recording",
    "read_channels",
    "read_wav",
    "recordings_in",
    "shape",
    "speech_level",
    "write_wav",
]
