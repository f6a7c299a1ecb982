"""``zeroten rehearse --timing``: the seconds of a call in every language, as a table for a page."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.ivr import Voice
from app.prompts import Prompts
from app.rehearsal.clock import speaking_seconds
from app.rehearsal.flow_call import ADDRESS
from app.rehearsal.timing import CALLS, CallTiming, time_calls
from app.survey import Flow, Flows, Prompt, Wording


@dataclass(frozen=True)
class RecordedLengths:
    """How long prompts take: as long as their recordings, or as their words where there are none."""

    prompts: Prompts

    def addresses(self, wording: Wording, prompt: Prompt) -> tuple[str, ...] | None:
        """Where the recordings of a prompt would be fetched; None where it has none."""
        clips = self.prompts.find(wording, prompt)
        return None if clips is None else tuple(f"{wording.language}/{clip.name}" for clip in clips)

    async def length_of(self, address: str) -> float:
        """Seconds of the recording at this address."""
        language, _, name = address.removeprefix(ADDRESS).partition("/")
        clip = self.prompts.clip(language, name)
        assert clip is not None, "it is one of the addresses given above"
        return clip.sound.seconds

    def seconds_of(self, wording: Wording, prompt: Prompt) -> float:
        """Seconds of a prompt."""
        clips = self.prompts.find(wording, prompt)
        if clips is not None:
            return sum(clip.sound.seconds for clip in clips)
        return speaking_seconds(wording.text(prompt, "voice"), wording.locale)


def timing_table(flow: Flow, brand: str, prompts: Prompts) -> Iterator[str]:
    """The lines of the table, in Markdown: a column for each language, a part for each caller."""
    lengths, voice = (
        RecordedLengths(prompts),
        Voice(Flows({flow.id: flow}), RecordedLengths(prompts).addresses),
    )
    languages = sorted(flow.languages)

    async def timed() -> dict[str, dict[str, CallTiming]]:
        return {
            language: await time_calls(flow, language, voice, brand, lengths.seconds_of, lengths.length_of)
            for language in languages
        }

    found = asyncio.run(timed())
    yield f"| seconds | {' | '.join(languages)} |"
    yield f"|---|{'---|' * len(languages)}"
    for call in CALLS:
        yield from _rows(call, {language: found[language][call] for language in languages})


def _rows(name: str, timings: Mapping[str, CallTiming]) -> Iterator[str]:
    first = next(iter(timings.values()))
    for place, (prompt, _) in enumerate(first.prompts):
        yield _row(f"`{prompt}`", [each.prompts[place][1] for each in timings.values()])
    yield _row("the caller's own", [each.answers for each in timings.values()])
    yield _row("dead air", [each.dead_air for each in timings.values()])
    yield _row(f"**{name}**", [each.total for each in timings.values()], "**")


def _row(label: str, seconds: list[float], mark: str = "") -> str:
    return f"| {label} | {' | '.join(f'{mark}{each:.1f}{mark}' for each in seconds)} |"
