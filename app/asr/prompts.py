"""Who says what around a stream: the carrier's voice what is not recorded, the stream the rest."""

import math
from dataclasses import dataclass

from app.audio import TELEPHONE_RATE, Sound
from app.prompts import Prompts
from app.survey import Prompt, Turn, Wording

# Where the carrier asks, the stream opens a moment later: whoever answers at once would lose their first words.
AFTER_TONE = "answer_after_tone"
TONE_HERTZ, TONE_SECONDS, TONE_HEIGHT = 440, 0.2, 0.2


@dataclass(frozen=True)
class StreamPrompts:
    """A turn's prompts in their order: first those that the carrier says, then the sound of those that we play.

    Ours begin with the ``notice`` that has to be heard before anything may be recorded; it is empty where there is
    none, or the carrier says it.
    """

    by_carrier: tuple[Prompt, ...]
    notice: tuple[Sound, ...]
    by_us: tuple[Sound, ...]


def split(turn: Turn, wording: Wording, prompts: Prompts) -> StreamPrompts:
    """The prompts after the last one that is not recorded are played in the stream, where they can be interrupted.

    A question that is not recorded ends with the request to answer after the tone, which the stream plays.
    """
    notice, say = turn.around_recording(record=turn.state.context.get("record") == "yes")
    everything = (*notice, *say)
    clips = [prompts.find(wording, each) for each in everything]
    first = next((place + 1 for place in reversed(range(len(clips))) if clips[place] is None), 0)
    if everything and first == len(everything):
        return StreamPrompts((*everything, wording.prompt(AFTER_TONE, {})), (), (TONE,))
    behind = max(first, len(notice))
    ours = [tuple(clip.sound for clip in found or ()) for found in clips]
    return StreamPrompts(everything[:first], _joined(ours[first:behind]), _joined(ours[behind:]))


def _joined(clips: list[tuple[Sound, ...]]) -> tuple[Sound, ...]:
    return tuple(sound for each in clips for sound in each)


def _tone() -> Sound:
    turn, length = 2 * math.pi * TONE_HERTZ / TELEPHONE_RATE, int(TONE_SECONDS * TELEPHONE_RATE)
    return Sound.of(TONE_HEIGHT * math.sin(turn * place) for place in range(length))


TONE = _tone()
