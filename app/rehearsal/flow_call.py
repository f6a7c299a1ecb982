"""A survey called without a database or HTTP: the engine's turns, rendered as TwiML and performed by the double."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.rehearsal.clock import Clock
from app.rehearsal.people import Caller
from app.rehearsal.transcript import Transcript
from app.rehearsal.twilio import CarrierRecordings, Performance, Request
from app.rehearsal.twilio.connected_caller import LengthOf
from app.rehearsal.twilio.performance import unmeasured
from app.rehearsal.twilio.verbs import Alert
from app.survey import Fact, Flow, Heard, Keys, Left, OptedOut, Prompt, State, Turn, begin, step

ADDRESS = "http://rehearsal/"
IDENTITY = {"CallSid": "CA" + "0" * 32}


class Product(Protocol):
    """What a call needs of the product: how it renders a turn, and how it reads a form."""

    def render(self, turn: Turn, turn_no: int, *, recording: bool) -> bytes:
        """The TwiML of a turn, whose actions ask for ``turn_no``; ``recording``: a recording is under way."""
        ...

    def hear(self, form: Mapping[str, str]) -> Heard:
        """What the form says that was heard."""
        ...


@dataclass(frozen=True)
class PlayedCall:
    """How a call went: what became true, which prompts were said, what was heard and when, and the carrier's alerts."""

    facts: tuple[Fact, ...]
    said: tuple[Prompt, ...]
    transcript: Transcript
    alerts: tuple[Alert, ...]


async def play(
    flow: Flow,
    context: Mapping[str, str],
    language: str,
    product: Product,
    caller: Caller,
    clock: Clock,
    length_of: LengthOf = unmeasured,
) -> PlayedCall:
    """Call ``caller``, who has picked up already, and go through the survey."""
    opening = begin(flow, language, context)
    conversation = _Conversation(flow, product, opening, list(opening.facts), list(opening.say))
    recordings = CarrierRecordings("AC" + "0" * 32, ADDRESS.rstrip("/"))
    performance = Performance(
        caller, clock, conversation.fetch, IDENTITY, recordings, _unheard, length_of=length_of
    )
    ending = await performance.perform(Request(ADDRESS))
    performance.close()
    if ending == "caller":
        conversation.take(Left())
    await caller.ended()
    facts, said = tuple(conversation.facts), tuple(conversation.said)
    return PlayedCall(facts, said, performance.transcript, tuple(performance.alerts))


@dataclass
class _Conversation:
    flow: Flow
    product: Product
    turn: Turn
    facts: list[Fact] = field(default_factory=list)
    said: list[Prompt] = field(default_factory=list)
    turn_no: int = 0

    async def fetch(self, url: str, method: str, form: Mapping[str, str]) -> bytes:  # noqa: ARG002
        """The document that the product would answer with; the first one greets."""
        heard = None if url == ADDRESS else self.product.hear(form)
        if heard is not None and self.turn.ask is None:
            self._opt_out_late(heard)
        elif heard is not None:
            self.take(heard)
        return self.product.render(self.turn, self.turn_no, recording="recorded" in url)

    def take(self, heard: Heard) -> None:
        """One turn; the state goes through JSON, as it does in the product."""
        self.turn_no += 1
        self.turn = step(self.flow, State.from_json(self.turn.state.to_json()), heard)
        self.facts.extend(self.turn.facts)
        self.said.extend(self.turn.say)

    def _opt_out_late(self, heard: Heard) -> None:
        """After the goodbye ``*`` opts out all the same, and any other key ends the call."""
        opts_out = isinstance(heard, Keys) and "*" in heard.digits
        wording = self.flow.wording(self.turn.state.language)
        said = (wording.prompt("opted_out", self.turn.state.context),) if opts_out else ()
        self.turn = Turn(self.turn.state, said, None)
        self.said.extend(said)
        self.facts.extend([OptedOut()] if opts_out else [])


def _unheard(url: str, method: str, form: Mapping[str, str]) -> None:
    """Nobody listens for callbacks."""
