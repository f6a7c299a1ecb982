"""Someone calls the number that called them: their open survey goes on, or they learn who it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from twilio.twiml.voice_response import Gather, VoiceResponse

from app.ivr import twiml
from app.jobs import Deferral, Jobs, Task
from app.places import UnusableNumber, locate
from app.store import Pool, attempts, suppressions, surveys
from app.survey.flow import Flow

RECONCILE_AFTER = timedelta(minutes=12)
RESUMABLE_FOR = timedelta(hours=48)
PATH = "/twilio/voice"


@dataclass(frozen=True)
class Inbound:
    """Answers calls to our own number."""

    pool: Pool
    jobs: Jobs
    flow: Flow
    brand: str
    base_path: str

    async def answer(self, form: Mapping[str, str]) -> bytes:
        """Send the caller into their open survey, else say who had called and offer to opt out by ``*``."""
        phone, since = _phone(form), datetime.now(UTC) - RESUMABLE_FOR
        async with self.pool.connection() as connection, connection.transaction():
            survey = await surveys.read_unfinished(connection, phone, since) if phone else None
            if survey is None:
                return self._explain(await surveys.last_language(connection, phone) if phone else None)
            call = form.get("CallSid", "")
            attempt_id = await attempts.of_call(connection, call)
            if attempt_id is None:
                attempt_id = uuid4()
                last = await attempts.last(connection, survey.id)
                number = 1 if last is None else last.number + 1
                await attempts.write(connection, attempt_id, survey.id, number, "voice", "inbound")
                arguments = {"attempt_id": str(attempt_id), "tries": 1}
                later = datetime.now(UTC) + RECONCILE_AFTER
                await self.jobs.defer(connection, Deferral(Task.RECONCILE_ATTEMPT, arguments, later))
        response = VoiceResponse()
        response.redirect(f"{self.base_path}{PATH}/{survey.language}/{survey.id}/open?attempt={attempt_id}")
        return str(response).encode()

    async def opt_out(self, form: Mapping[str, str]) -> bytes:
        """The caller pressed a key: ``*`` is an opt-out, at once and on every channel."""
        phone = _phone(form)
        async with self.pool.connection() as connection, connection.transaction():
            language = await surveys.last_language(connection, phone) if phone else None
            if "*" not in form.get("Digits", "") or phone is None:
                return twiml.goodbye("goodbye", self.flow.wording(language or self.flow.default_language))
            await suppressions.add(connection, suppressions.addresses_of(None, phone, None), "voice")
        return twiml.goodbye("opted_out", self.flow.wording(language or self.flow.default_language))

    def _explain(self, language: str | None) -> bytes:
        wording = self.flow.wording(language or self.flow.default_language)
        text = wording.text(wording.prompt("inbound_unknown", {"brand": self.brand}), "voice")
        response = VoiceResponse()
        # The key that opts out must not also be one that ends the entry.
        gather = Gather(
            input="dtmf", action=f"{self.base_path}{PATH}/opt-out", method="POST", num_digits=1, finish_on_key="",
            timeout=5,
        )  # fmt: skip
        gather.say(text, voice=wording.voice, language=wording.locale)
        response.append(gather)
        response.hangup()
        return str(response).encode()


def _phone(form: Mapping[str, str]) -> str | None:
    try:
        return locate(form.get("From", "")).e164
    except UnusableNumber:
        return None
