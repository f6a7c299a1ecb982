"""One question on a media stream: frames, keys and marks in, what is to be done out. Pure; time is counted in frames.

The line sends 50 frames a second, whether anybody speaks or not, so frames are the clock. Keys win over speech: once
one is pressed, what is being said is dropped. A noise that is no speech is passed over; where it had cut off the
prompt, the prompt is played once more. What is said ends with a long pause, or with a short one where it is a whole
answer by then.
"""

from dataclasses import dataclass
from typing import Literal

from app.asr.complete import IsComplete
from app.asr.grammar import UNKNOWN
from app.asr.speech import Speech, in_frames
from app.asr.thresholds import WHOLE_ANSWER_SECONDS
from app.survey import Ask, AskKind, Heard, Keys, Silence, Unheard, Words

HANGOVER_SECONDS: dict[AskKind, float] = {"score": 0.6, "yes_no": 0.6, "comment": 1.6}
LONGEST_SECONDS: dict[AskKind, float] = {"score": 10, "yes_no": 10, "comment": 60}
MOST_KEYS: dict[AskKind, int] = {"score": 2, "yes_no": 1, "comment": 1}
# After a 1 the nought of a 10 is waited for, and may come later still, when it is asked for; after any other key, a
# slip of the finger.
AFTER_ONE_SECONDS, AFTER_KEY_SECONDS = 1.0, 0.3
# After a noise there is at least so much time left to answer.
AFTER_NOISE_SECONDS = 2.0
# A mark that never comes back does not keep the line for ever.
MARK_LATE_SECONDS = 3.0
# Nothing keeps a question open longer.
QUESTION_SECONDS = 120
# Speech that is none of the expected words has to be this long to be taken for an answer; a cough is shorter.
ANSWER_FRAMES = 20

Action = Literal["clear", "begin", "look", "finish", "drop", "replay"]


@dataclass(frozen=True)
class QuestionOver:
    """The question is answered, or its time is over."""

    heard: Heard


class AnswerListener:
    """Decides what is done while one question is open: frames, keys and results in, actions out.

    ``prompt_frames`` is how long the prompt plays that the stream itself plays; 0 where there is none.

    ``notice_frames`` is the same for what plays before it and has to be heard: over that only keys are taken.

    The actions: ``clear`` the prompt; ``begin`` to recognise, from a moment before; ``look`` at what was recognised
    and tell `so_far`; ``finish`` recognising and tell `recognised`; ``drop`` what is being recognised; ``replay`` the
    prompt.
    """

    def __init__(
        self, ask: Ask, is_complete: IsComplete, prompt_frames: int = 0, notice_frames: int = 0
    ) -> None:
        self._ask, self._is_complete, self._prompt_frames = ask, is_complete, prompt_frames
        self._speech = Speech(in_frames(HANGOVER_SECONDS[ask.kind]))
        self._prompt_left = prompt_frames + in_frames(MARK_LATE_SECONDS) if prompt_frames else 0
        self._notice_left = notice_frames + in_frames(MARK_LATE_SECONDS) if notice_frames else 0
        self._keys = ""
        self._frames = self._quiet = self._spoken = self._since_key = 0
        self._looks = 0
        self._pausing = self._recognising = self._cut_off = self._replayed = False
        self.done: QuestionOver | None = None

    @property
    def prompt_plays(self) -> bool:
        """Whether the prompt, or the notice before it, is still being played."""
        return self._prompt_left > 0 or self._notice_left > 0

    @property
    def speaking(self) -> bool:
        """Whether something is being said or recognised."""
        return self._speech.speaking or self._recognising

    def frame(self, voiced: bool) -> list[Action]:
        """Take one frame of 20 ms, which has a voice in it or not; gives what is to be done."""
        if self.done is not None:
            return []
        self._frames += 1
        if self._frames >= in_frames(QUESTION_SECONDS):
            return self._finish_question(Silence())
        if self._keys:
            self._since_key += 1
            return self._finish_question(Keys(self._keys)) if self._since_key >= self._pause() else []
        if self._recognising:
            return []
        if self._notice_left:
            self._notice_left -= 1
            return []
        actions = self._follow(voiced)
        if not actions and not self._speech.speaking:
            return self._wait()
        return actions

    def key(self, digit: str) -> list[Action]:
        """Take a key; gives what is to be done."""
        if self.done is not None:
            return []
        actions = self._stop_prompt()
        if self.speaking:
            actions.append("drop")
            self._speech.reset()
            self._pausing = self._recognising = False
        self._since_key = 0
        if digit == "#" and self._ask.kind != "comment":
            return [*actions, *self._finish_question(Keys(self._keys or digit))]
        self._keys += digit
        if digit == "*" or len(self._keys) >= MOST_KEYS[self._ask.kind]:
            return [*actions, *self._finish_question(Keys(self._keys))]
        return actions

    def notice_over(self) -> None:
        """The notice has been heard; from now on speech is."""
        self._notice_left = 0

    def prompt_over(self) -> None:
        """The prompt has been played; now the time for an answer runs."""
        self._prompt_left = 0

    def so_far(self, words: Words | None) -> list[Action]:
        """What had been said when it was looked at; None where that cannot be told. A whole answer needs no more."""
        self._looks -= 1
        if self.done is not None or self._looks or not self._pausing or words is None:
            return []
        return self._finish_question(words) if self._is_complete(words) else []

    def recognised(self, words: Words) -> list[Action]:
        """What was said since the speech began; nothing that is a word is a noise."""
        if self.done is not None or not self._recognising:
            return []
        self._recognising = False
        if not self._is_noise(words):
            return self._finish_question(words)
        left = in_frames(self._ask.silence_seconds) - in_frames(AFTER_NOISE_SECONDS)
        self._quiet = max(0, min(self._quiet, left))
        if not self._cut_off or self._replayed:
            return []
        self._cut_off, self._replayed = False, True
        self._prompt_left = self._prompt_frames + in_frames(MARK_LATE_SECONDS)
        return ["replay"]

    def unheard(self) -> list[Action]:
        """What was said will not be recognised in time."""
        if self.done is not None or not self._recognising:
            return []
        self._recognising = False
        return self._finish_question(Unheard())

    def left(self) -> list[Action]:
        """The caller hung up: keys pressed by then count, else what they were saying is the last to be recognised."""
        if self.done is None and self._keys:
            return self._finish_question(Keys(self._keys))
        if self.done is not None or not self._speech.speaking:
            return []
        self._speech.reset()
        self._recognising = True
        return ["finish"]

    def _follow(self, voiced: bool) -> list[Action]:
        event = self._speech.hear(voiced, over_prompt=self.prompt_plays)
        if event == "begun":
            self._spoken = self._looks = 0
            self._pausing = False
            self._cut_off = self.prompt_plays
            return [*self._stop_prompt(), "begin"]
        if self._speech.speaking:
            self._spoken += 1
            if self._spoken < in_frames(LONGEST_SECONDS[self._ask.kind]):
                return self._look(voiced)
            self._speech.reset()
        elif event is None:
            return []
        self._pausing, self._recognising = False, True
        return ["finish"]

    def _look(self, voiced: bool) -> list[Action]:
        """Once in each pause."""
        before = self._pausing
        self._pausing = not voiced and self._speech.quiet >= in_frames(WHOLE_ANSWER_SECONDS)
        if before or not self._pausing or self._ask.kind == "comment":
            return []
        self._looks += 1
        return ["look"]

    def _wait(self) -> list[Action]:
        if self._prompt_left:
            self._prompt_left -= 1
            return []
        self._quiet += 1
        over = self._quiet >= in_frames(self._ask.silence_seconds)
        return self._finish_question(Silence()) if over else []

    def _pause(self) -> int:
        return in_frames(AFTER_ONE_SECONDS if self._keys == "1" else AFTER_KEY_SECONDS)

    def _stop_prompt(self) -> list[Action]:
        if not self.prompt_plays:
            return []
        self._prompt_left = self._notice_left = 0
        return ["clear"]

    def _is_noise(self, words: Words) -> bool:
        if any(each != UNKNOWN for each in words.text.split()):
            return False
        return not words.text or self._speech.voiced_frames < ANSWER_FRAMES

    def _finish_question(self, heard: Heard) -> list[Action]:
        actions: list[Action] = ["drop"] if self.speaking else []
        self.done = QuestionOver(heard)
        return actions
