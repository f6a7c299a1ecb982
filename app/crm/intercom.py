"""Intercom: a note on the contact, custom data attributes, and an event where the operator names one.

Six requests need no client library; Intercom's own is 1,000 files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, SecretStr

from app.crm.api import Api
from app.crm.intercom_api import IntercomApi, pause
from app.crm.matching import match
from app.crm.options import By, Matching, Options, Source, Template, filled
from app.crm.records import DEFAULT_NOTE, as_html, is_late, newest_field, note_of
from app.ports import Answer, Crm
from app.web.outgoing import Outgoing

LONGEST_NOTE = 10_000
LONGEST_TEXT = 255  # of an attribute, and of what an event tells
MOST_TOLD = 10


class IntercomOptions(Options):
    """Whose Intercom, and what goes where."""

    token: SecretStr = Field(description="An app's access token.")
    note: Template | None = Field(DEFAULT_NOTE, description="The note; null for none.")
    admin_id: str | None = Field(None, description="The teammate who is shown as the note's author.")
    fields: dict[str, Source] = Field(
        {}, description="Custom data attributes of people, and what each is filled from."
    )
    event: str | None = Field(None, description="The name of an event to track, such as answered-nps.")
    event_fields: Annotated[dict[str, Source], Field(max_length=MOST_TOLD)] = Field(
        {"score": "score", "band": "band", "queue": "queue", "channel": "channel"},
        description="What the event tells.",
    )
    match: Matching = Field(Matching(), description="How the contact is found.")
    api_version: str = Field("2.14", pattern=r"^2\.\d+$", description="The version of Intercom's API.")
    api_url: str = Field(
        "https://api.intercom.io",
        description="https://api.eu.intercom.io and https://api.au.intercom.io, too.",
    )

    def connect(self, outgoing: Outgoing) -> Crm:
        """The workspace that the token is of."""
        headers = {
            "Authorization": f"Bearer {self.token.get_secret_value()}",
            "Intercom-Version": self.api_version,
        }
        return Intercom(IntercomApi(Api(outgoing, self.api_url, headers, pause), self.fields.keys()), self)


@dataclass(frozen=True)
class Intercom:
    """Notes there are never changed: what has grown is told in a further one. An event is told once."""

    api: IntercomApi
    options: IntercomOptions = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """Needs the permissions to read people and attributes."""
        return await self.api.misfits(self.options.fields)

    async def push(self, answers: Sequence[Answer]) -> Sequence[str]:
        """One after the other."""
        return [await self._push(each) for each in answers]

    async def _push(self, answer: Answer) -> str:
        found: dict[str, Mapping[str, Any]] = {}

        async def find(by: By, value: str) -> list[str]:
            contacts = await self.api.contacts(by, value)
            found.update((each["id"], each.get("custom_attributes") or {}) for each in contacts)
            return [str(each["id"]) for each in contacts]

        contact = await match(self.options.match, answer.customer, find)
        if self.options.note is not None:
            await self._write_note(self.options.note, contact, answer)
        if self.options.event is not None:
            await self._track(self.options.event, contact, answer)
        await self._fill(contact, found[contact], answer)
        return contact

    async def _write_note(self, template: Template, contact: str, answer: Answer) -> None:
        text = note_of(template, answer, LONGEST_NOTE)
        if (answer.tried or answer.remote_id) and await self.api.is_told(contact, text.splitlines()[-1]):
            return
        author = {"admin_id": self.options.admin_id} if self.options.admin_id else {}
        await self.api.call("POST", f"/contacts/{contact}/notes", {"body": as_html(text), **author})

    async def _track(self, name: str, contact: str, answer: Answer) -> None:
        """Intercom itself passes over a repeated one: same contact, name and second."""
        told = {
            key: _shortened(value)
            for key, value in filled(self.options.event_fields, answer).items()
            if value is not None
        }
        body = {"event_name": name, "created_at": seconds(answer), "id": contact, "metadata": told}
        await self.api.call("POST", "/events", body)

    async def _fill(self, contact: str, held: Mapping[str, Any], answer: Answer) -> None:
        newest = newest_field(self.options.fields)
        if not self.options.fields or (newest and _is_late(answer, held.get(newest))):
            return
        given = {name: _shortened(value) for name, value in filled(self.options.fields, answer).items()}
        for name, source in self.options.fields.items():
            if source == "answered_at" and name.endswith("_at"):  # how Intercom knows its dates
                given[name] = seconds(answer)
        await self.api.call("PUT", f"/contacts/{contact}", {"custom_attributes": given})


def seconds(answer: Answer) -> int:
    """When the answer was given, in seconds since 1970."""
    return int(datetime.fromisoformat(answer.columns["answered_at"]).timestamp())


def _is_late(answer: Answer, held: object) -> bool:
    return held > seconds(answer) if isinstance(held, int) else is_late(answer, held)


def _shortened(value: Any) -> Any:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value
