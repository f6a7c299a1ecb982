"""Where speech begins and ends. Pure: frames of 20 ms in, marked as voiced or not; time is counted in frames."""

from collections import deque
from collections.abc import Callable
from typing import Literal

from app.audio import FRAME_MILLISECONDS, TELEPHONE_RATE
from app.errors import RecogniserError

Voiced = Callable[[bytes], bool]

# Of the detector's four modes, from lenient to strict: the third lets fewer line noises pass than the first two.
STRICTNESS = 2
# Speech has begun once this many of the latest frames are voiced; over a prompt, whose echo comes back, it takes more.
ONSET, ONSET_WINDOW = 6, 10
ONSET_OVER_PROMPT, ONSET_OVER_PROMPT_WINDOW = 12, 16
# A lone voiced frame does not prolong what has ended: a click is no word.
CLICK_FRAMES = 2


def in_frames(seconds: float) -> int:
    """The number of 20 ms frames in so many seconds."""
    return round(seconds * 1000 / FRAME_MILLISECONDS)


def detector() -> Voiced:
    """Says of a frame (PCM, 20 ms) whether there is a voice in it. Raises `RecogniserError`: it is not installed."""
    try:
        import webrtcvad  # noqa: PLC0415 - an extra
    except ImportError:
        raise RecogniserError("webrtcvad is not installed; requirements/speech.txt has it") from None
    vad = webrtcvad.Vad(STRICTNESS)

    def voiced(frame: bytes) -> bool:
        return bool(vad.is_speech(frame, TELEPHONE_RATE))

    return voiced


class Speech:
    """Finds where speech begins and ends on one line; times are in frames of 20 ms.

    ``hangover`` is how long a quiet ends what was said, ``quiet`` how long it has been quiet, and ``voiced_frames`` how
    much of what was said had a voice in it.
    """

    def __init__(self, hangover: int) -> None:
        self.speaking = False
        self.voiced_frames = 0
        self.quiet = 0
        self._hangover = hangover
        self._recent: deque[bool] = deque(maxlen=ONSET_OVER_PROMPT_WINDOW)
        self._run = 0

    def hear(self, voiced: bool, *, over_prompt: bool = False) -> Literal["begun", "ended"] | None:
        """Take in one frame; says when it is the one with which speech has begun, or ended."""
        self._recent.append(voiced)
        return self._go_on(voiced) if self.speaking else self._begin(over_prompt)

    def _begin(self, over_prompt: bool) -> Literal["begun"] | None:
        needed, window = (
            (ONSET_OVER_PROMPT, ONSET_OVER_PROMPT_WINDOW) if over_prompt else (ONSET, ONSET_WINDOW)
        )
        latest = list(self._recent)[-window:]
        if sum(latest) < needed:
            return None
        self.speaking, self.quiet, self._run = True, 0, 0
        self.voiced_frames = sum(latest)
        return "begun"

    def _go_on(self, voiced: bool) -> Literal["ended"] | None:
        self.voiced_frames += voiced
        self._run = self._run + 1 if voiced else 0
        self.quiet = 0 if self._run >= CLICK_FRAMES else self.quiet + (not voiced)
        if self.quiet < self._hangover:
            return None
        self.reset()
        return "ended"

    def reset(self) -> None:
        """Wait for the next beginning; ``voiced_frames`` stays to be read."""
        self.speaking = False
        self._recent.clear()
