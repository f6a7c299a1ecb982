"""Someone calls the number that called them: their open survey goes on, or they learn who it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from twilio.twiml.voice_response import Gather, VoiceResponse

from app.ivr import twiml
from app.outreach import AttemptTracking
from app.phone_numbers import UnusableNumber, parse_phone_number
from app.store import Pool, clock, suppressions, surveys
from app.survey import Flow, Wording

RESUMABLE_FOR = timedelta(hours=48)
PATH = "/twilio/voice"


@dataclass(frozen=True)
class Inbound:
    """Answers calls to our own number."""

    pool: Pool
    tracking: AttemptTracking
    flow: Flow
    brand: str
    base_path: str
    sounds: twiml.Sounds

    async def answer(self, form: Mapping[str, str]) -> bytes:
        """Send the caller into their open survey, else say who had called and offer to opt out by ``*``."""
        phone = _phone(form)
        async with self.pool.connection() as connection, connection.transaction():
            since = await clock.now(connection) - RESUMABLE_FOR
            survey = await surveys.read_unfinished(connection, phone, since) if phone else None
            if survey is not None:
                survey = await surveys.read(connection, survey.id, lock=True)
            if survey is None or not survey.may_be_opened:
                return self._explain(await surveys.last_language(connection, phone) if phone else None)
            attempt_id = await self.tracking.called_in(connection, survey, form.get("CallSid", ""))
        response = VoiceResponse()
        response.redirect(f"{self.base_path}{PATH}/{survey.language}/{survey.id}/open?attempt={attempt_id}")
        return str(response).encode()

    async def opt_out(self, form: Mapping[str, str]) -> bytes:
        """The caller pressed a key: ``*`` is an opt-out, at once and on every channel."""
        phone = _phone(form)
        async with self.pool.connection() as connection, connection.transaction():
            language = await surveys.last_language(connection, phone) if phone else None
            if "*" not in form.get("Digits", "") or phone is None:
                return self._goodbye("goodbye", language)
            await suppressions.add(connection, suppressions.addresses_of(None, phone, None), "voice")
        return self._goodbye("opted_out", language)

    def _goodbye(self, prompt_name: str, language: str | None) -> bytes:
        return twiml.goodbye(prompt_name, self._wording(language), self.sounds)

    def _wording(self, language: str | None) -> Wording:
        return self.flow.wording(language)

    def _explain(self, language: str | None) -> bytes:
        wording = self._wording(language)
        prompt = wording.prompt("inbound_unknown", {"brand": self.brand})
        response = VoiceResponse()
        # The key that opts out must not also be one that ends the entry.
        gather = Gather(
            input="dtmf", action=f"{self.base_path}{PATH}/opt-out", method="POST", num_digits=1, finish_on_key="",
            timeout=5,
        )  # fmt: skip
        twiml.speak(gather, (prompt,), wording, self.sounds)
        response.append(gather)
        response.hangup()
        return str(response).encode()


def _phone(form: Mapping[str, str]) -> str | None:
    try:
        return parse_phone_number(form.get("From", "")).e164
    except UnusableNumber:
        return None
