"""Every golden transcript, played through every channel: the same words are heard, and the same becomes true.

A channel joins by a `Player` and a line in PLAYERS. ``pytest tests/test_channels.py -rP -k pl_promoter`` prints what
was said.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
import pytest_asyncio

from app.config import load_flows
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Phone, ScriptedCaller
from app.rehearsal.timing import THINKS_SECONDS
from app.survey import dialogue
from tests import transcripts
from tests.calls import counts, fresh_number, line_on, settled
from tests.chatbot.correspondence import TextMessages
from tests.chatbot.players import ChatOverRest, ChatOverSocket
from tests.chatbot.rasa.player import ChatInRasa
from tests.line import Line
from tests.transcripts import Medium, Outcome, Result, Transcript

FLOW = load_flows(Path("flows"))["nps"]
ENDED: Mapping[str, transcripts.Ended] = {
    "completed": "completed",
    "partial": "abandoned",
    "unreached": "abandoned",
    "opted_out": "opted_out",
}
BANDS = {"promoter": "promoters", "passive": "passives", "detractor": "detractors"}


class Player(Protocol):
    """A channel with a person on it who does what a transcript's caller does."""

    channel: str
    medium: Medium

    async def play(self, line: Line, transcript: Transcript, queue: str) -> Outcome:
        """Trigger the survey, go through the conversation, and return once it is over."""
        ...


class Voice:
    """A rehearsed call: TwiML over HTTP, performed as a phone would."""

    channel = "voice"
    medium: Medium = "voice"

    async def play(self, line: Line, transcript: Transcript, queue: str) -> Outcome:
        number, clock = fresh_number(), PacedClock(0)
        caller = ScriptedCaller(transcript.steps(), clock, thinks_seconds=THINKS_SECONDS)
        line.carrier.phones.put(number, lambda _: Phone(caller, clock))
        customer = {"crm_id": uuid4().hex, "phone": number, "consent": True}
        decided = await line.trigger(queue=queue, language=transcript.language, customer=customer)
        story = await settled(line, decided["survey_id"])
        (call,) = line.carrier.calls.find(lambda call: call.to == number)
        print(call.transcript)  # noqa: T201 - shown with pytest -rP
        assert call.alerts == []
        assert transcripts.Seconds.of(call.transcript.time) == transcript.seconds
        return Outcome([each.text for each in caller.heard], story)


PLAYERS: tuple[Player, ...] = (
    Voice(),
    ChatOverRest(),
    ChatOverSocket(),
    ChatInRasa(),
    TextMessages("sms"),
    TextMessages("whatsapp"),
)
PERFORMANCES = [
    pytest.param(player, transcript, id=f"{type(player).__name__}-{player.channel}-{transcript.name}")
    for player in PLAYERS
    for transcript in transcripts.load()
    if transcript.plays_on(player.medium)
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with line_on(module_database_url, tmp_path_factory.mktemp("line"), brand="Acme") as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("player", "transcript"), PERFORMANCES)
async def test_a_golden_conversation_goes_as_written(
    line: Line, player: Player, transcript: Transcript
) -> None:
    queue = f"queue-{uuid4().hex}"
    outcome = await player.play(line, transcript, queue)
    # Some channels write all of a turn in one message.
    assert " ".join(outcome.texts).split() == " ".join(texts_of(transcript, player)).split()
    assert result_of(outcome.story) == transcript.result
    assert await counts(line, queue) == counts_of(outcome.story)


def texts_of(transcript: Transcript, player: Player) -> list[str]:
    """What the engine says, in the channel's own words."""
    spoken, wording = player.medium == "voice", FLOW.wording(transcript.language)
    turn = dialogue.begin(FLOW, transcript.language, {"brand": "Acme"})
    said = list(turn.say)
    for exchange in transcript.exchanges:
        if exchange.caller is not None:
            turn = dialogue.step(FLOW, turn.state, exchange.caller.heard(spoken))
            said += turn.say
    return [text for text in (wording.text(prompt, player.channel) for prompt in said) if text]


def result_of(story: Mapping[str, Any]) -> Result:
    """The story as a transcript tells it."""
    response = story["response"] or {}
    return Result(
        ended=ENDED[story["status"]],
        score=response.get("score"),
        comment=response.get("comment"),
        callback=response.get("callback"),
    )


def counts_of(story: Mapping[str, Any]) -> dict[str, int]:
    """What one conversation adds to the roll-up. Where nobody ever answered, nobody was reached."""
    if story["response"] is not None:
        return {"invited": 1, "reached": 1, "responses": 1, BANDS[story["response"]["band"]]: 1}
    somebody = any(turn["heard"] and turn["heard"]["heard"] != "silence" for turn in story["turns"])
    return {"invited": 1, "reached": 1} if somebody else {"invited": 1}
