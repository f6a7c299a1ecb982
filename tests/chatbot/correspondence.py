"""People who answer text messages, for the golden transcripts."""

from dataclasses import dataclass
from uuid import uuid4

from app.outreach import ExpireAttempt
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import HungUp, Nothing, Phone, Reaction, ScriptedCaller, Spoken
from tests import transcripts
from tests.calls import fresh_number
from tests.line import Line, eventually
from tests.rows import row
from tests.transcripts import Medium, Outcome, Transcript


@dataclass
class TextMessages:
    """A rehearsed phone that texts: messages by REST, answers by webhook."""

    channel: str
    medium: Medium = "text"

    async def play(self, line: Line, transcript: Transcript, queue: str) -> Outcome:
        """Trigger the survey, write to and fro, and return once it is over."""
        number, clock = fresh_number(), PacedClock(0)
        answers = [_does(each.caller) for each in transcript.exchanges if each.caller is not None]
        person = ScriptedCaller(answers, clock)
        line.carrier.phones.put(number, lambda _: Phone(person, clock))
        line.carrier.message_url = f"{line.services.settings.public_url}/twilio/messages"
        decided = await line.trigger(
            survey_by=self.channel,
            channel=self.channel,
            queue=queue,
            language=transcript.language,
            customer={"crm_id": uuid4().hex, "phone": number, "consent": True},
        )
        written = [each for each in answers if isinstance(each, Spoken)]

        async def read_all() -> bool:
            return len(person.read_texts) == len(written) + 1

        await eventually(read_all, lambda: person.read_texts)
        sent = await row(
            line.services.pool, "SELECT id FROM attempts WHERE survey_id = %s", (decided["survey_id"],)
        )
        await line.services.reminders.expire(ExpireAttempt(sent["id"]))
        return Outcome(person.read_texts, await line.story(decided["survey_id"]))


def _does(caller: transcripts.Line) -> Reaction:
    match caller.action:
        case "say" | "press":
            return Spoken(caller.text)
        case "silence":
            return Nothing()
        case "hang_up":
            return HungUp()
