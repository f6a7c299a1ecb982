"""Someone calls us, or is transferred to us: their open survey goes on, or they learn who it was that had called."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from twilio.twiml.voice_response import Gather, VoiceResponse

from app.ivr import twiml
from app.ivr.caller_id import caller_number, transferred_interaction
from app.outreach import AttemptTracking
from app.store import Connection, Pool, clock, correspondence, suppressions, surveys
from app.store.surveys import LastContact, Survey
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
        """Send the caller into their open survey, or else say what we know of them; ``*`` opts out."""
        phone, interaction_id = caller_number(form), transferred_interaction(form)
        async with self.pool.connection() as connection, connection.transaction():
            survey = await self._awaiting(connection, phone, interaction_id)
            if survey is None:
                last = await surveys.last_contact(connection, phone) if phone else None
                return self._explain(last)
            attempt_id = await self.tracking.called_in(connection, survey, form.get("CallSid", ""))
        response = VoiceResponse()
        response.redirect(f"{self.base_path}{PATH}/{survey.language}/{survey.id}/open?attempt={attempt_id}")
        return str(response).encode()

    async def opt_out(self, form: Mapping[str, str]) -> bytes:
        """The caller pressed a key: ``*`` is an opt-out, at once and on every channel."""
        phone = caller_number(form)
        async with self.pool.connection() as connection, connection.transaction():
            language = await surveys.last_language(connection, phone) if phone else None
            if "*" not in form.get("Digits", "") or phone is None:
                return self._goodbye("goodbye", language)
            if await correspondence.take(connection, form.get("CallSid", "")):
                await suppressions.add(connection, suppressions.addresses_of(None, phone, None), "voice")
        return self._goodbye("opted_out", language)

    async def _awaiting(
        self, connection: Connection, phone: str | None, interaction_id: str | None
    ) -> Survey | None:
        """The survey that this call may go on with, locked: its interaction's, or else its number's."""
        since = await clock.now(connection) - RESUMABLE_FOR
        found = await surveys.read_of_interaction(connection, interaction_id) if interaction_id else None
        if found is None and phone is not None:
            found = await surveys.read_unfinished(connection, phone, since)
        survey = None if found is None else await surveys.read(connection, found.id, lock=True)
        return survey if survey is not None and survey.may_be_opened else None

    def _goodbye(self, prompt_name: str, language: str | None) -> bytes:
        return twiml.goodbye(prompt_name, self._wording(language), self.sounds)

    def _wording(self, language: str | None) -> Wording:
        return self.flow.wording(language)

    def _explain(self, last: LastContact | None) -> bytes:
        """Who had called them; or, to somebody whom we have never called, that there is no survey for them."""
        wording = self._wording(None if last is None else last.language)
        name = "inbound_unknown" if last is not None and last.was_contacted else "inbound_no_survey"
        prompt = wording.prompt(name, {"brand": self.brand})
        response = VoiceResponse()
        # The key that opts out must not also be one that ends the entry.
        gather = Gather(
            input="dtmf", action=f"{self.base_path}{PATH}/opt-out", method="POST", num_digits=1, finish_on_key="",
            timeout=5 if name == "inbound_unknown" else twiml.LEAST_KEY_SECONDS,
        )  # fmt: skip
        twiml.speak(gather, (prompt,), wording, self.sounds)
        response.append(gather)
        response.hangup()
        return str(response).encode()
