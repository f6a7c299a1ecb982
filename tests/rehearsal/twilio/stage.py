"""A phone call on a stage: documents written by hand, a script for the caller, no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.rehearsal.clock import PacedClock
from app.rehearsal.people import ScriptedCaller, read_script
from app.rehearsal.people.scripted import Step
from app.rehearsal.twilio import CarrierRecordings, Performance, Request
from app.rehearsal.twilio.connected_caller import Ending
from app.rehearsal.twilio.verbs import CallFailed, Inline, Source

BASE = "https://zeroten.test/twilio/voice/1"


@dataclass
class Stage:
    """Plays documents by path; keeps what was asked for, what was notified, and how it ended."""

    documents: Mapping[str, str]
    script: str | tuple[Step, ...] = ""
    thinks_seconds: float = 1.0
    fallback: Request | None = None
    submits_at_hang_up: bool = False
    asked_for: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    notified: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        steps = read_script(self.script) if isinstance(self.script, str) else self.script
        self.clock = PacedClock(0)
        self.recordings = CarrierRecordings("AC1", "https://api.test")
        self.caller = ScriptedCaller(steps, self.clock, thinks_seconds=self.thinks_seconds)
        self.performance = Performance(
            self.caller,
            self.clock,
            self._fetch,
            {"CallSid": "CA1", "From": "+48221234567", "To": "+48221111111"},
            self.recordings,
            lambda url, _, form: self.notified.append((url, dict(form))),
            self.fallback,
            submits_at_hang_up=self.submits_at_hang_up,
        )

    async def play(self, source: Source | None = None) -> Ending:
        """The whole call."""
        ending = await self.performance.perform(source or Request(BASE))
        self.performance.close()
        return ending

    async def _fetch(self, url: str, method: str, form: Mapping[str, str]) -> bytes:
        self.asked_for.append((url, method, dict(form)))
        name = url.removeprefix(BASE).split("#")[0]
        if name not in self.documents:
            raise CallFailed(11200, f"Got HTTP 404 from {url}")
        return self.documents[name].encode()

    @property
    def said(self) -> list[str]:
        """What the line said."""
        return self.performance.transcript.said_by_line()

    @property
    def last_form(self) -> dict[str, str]:
        """What the last document was asked for with."""
        return self.asked_for[-1][2]

    @property
    def alert_codes(self) -> list[int]:
        """The carrier's error codes."""
        return [alert.code for alert in self.performance.alerts]


async def perform(twiml: str, script: str | tuple[Step, ...] = "", **documents: str) -> Stage:
    """Play ``<Response>`` with this content; ``documents`` are what its actions answer, by name."""
    others = {f"/{name}": f"<Response>{content}</Response>" for name, content in documents.items()}
    stage = Stage({"": f"<Response>{twiml}</Response>", **others}, script)
    await stage.play()
    return stage


def inline(twiml: str) -> Inline:
    """A document that comes with the call."""
    return Inline(f"<Response>{twiml}</Response>")
