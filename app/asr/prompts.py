"""Who says what around a stream: the carrier's voice what is not recorded, the stream the rest."""

from dataclasses import dataclass

from app.audio import Sound
from app.prompts import Prompts
from app.survey import Prompt, Turn, Wording

# Said behind the question that it is about.
NOTICE = "recording_notice"


@dataclass(frozen=True)
class StreamPrompts:
    """A turn's prompts in their order: first those that the carrier says, then the sound of those that we play.

    The first ``before_question`` of the carrier's are no part of the question.
    """

    by_carrier: tuple[Prompt, ...]
    by_us: tuple[Sound, ...]
    before_question: int


def split(turn: Turn, wording: Wording, prompts: Prompts) -> StreamPrompts:
    """The prompts after the last one that is not recorded are played in the stream, where they can be interrupted.

    Who is not recorded needs no notice.
    """
    record = turn.state.context.get("record") == "yes"
    say = [each for each in turn.say if record or each.name != NOTICE]
    clips = [prompts.find(wording, each) for each in say]
    first = next((place + 1 for place in reversed(range(len(say))) if clips[place] is None), 0)
    ours = tuple(clip.sound for each in clips[first:] if each is not None for clip in each)
    question = next((place for place in reversed(range(len(say))) if say[place].name != NOTICE), 0)
    return StreamPrompts(tuple(say[:first]), ours, min(first, question))
