"""Intercom's dialect: how contacts are found there, what attributes take, and what its refusals mean."""

import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, SecretStr

from app.crm.api import Api, ApiReply, retry_after
from app.crm.kinds import CrmKind
from app.crm.matching import match
from app.crm.options import BANDS, By, Kind, Matching, Options, Source, Template, filled, misfits
from app.crm.records import DEFAULT_NOTE, as_html, is_late, newest_field, note_of
from app.errors import CrmError, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

CONTACT_ID = re.compile(r"[0-9a-f]{24}")
REFUSALS = (400, 404, 409, 422)
TAKES: Mapping[str, tuple[Kind, ...]] = {
    "string": ("text",),
    "text for times": ("text", "time"),
    "integer": ("number",),
    "float": ("number",),
    "boolean": ("truth",),
    "date": ("time",),
}


@dataclass(frozen=True)
class IntercomApi:
    """``names`` are the attributes that we write: a refusal may name those, and nothing else of what it quotes."""

    api: Api
    names: Collection[str]

    async def call(
        self, method: str, path: str, body: object | None = None, query: Mapping[str, str | int] | None = None
    ) -> ApiReply:
        """As `Api.call`, with Intercom's refusals understood."""
        said = await self.api.call(method, path, body, query, expect=REFUSALS)
        if said.status >= 400:
            raise self._refusal(said)
        return said

    async def contacts(self, by: By, value: str) -> list[dict[str, Any]]:
        """The contacts that have this value, the newest first."""
        if by == "crm_id":
            return await self._contact(value) if CONTACT_ID.fullmatch(value) else []
        body = {"query": {"field": by, "operator": "=", "value": value}, "pagination": {"per_page": 50}}
        said = await self.call("POST", "/contacts/search", body)
        return sorted(said.json["data"], key=lambda each: int(each["created_at"]), reverse=True)

    async def has_note(self, contact: str, signature: str) -> bool:
        """Whether one of the contact's notes bears the signature."""
        query: dict[str, str | int] | None = {}
        while query is not None:
            said = await self.call("GET", f"/contacts/{contact}/notes", query=query)
            if any(signature in each["body"] for each in said.json["data"]):
                return True
            further = (said.json.get("pages") or {}).get("next")
            query = {"starting_after": further["starting_after"]} if isinstance(further, dict) else None
        return False

    async def misfits(self, fields: Mapping[str, Source]) -> list[str]:
        """A sentence for each attribute that cannot take what it is to be filled from."""
        said = await self.call("GET", "/data_attributes", query={"model": "contact"})
        types = {
            attribute["name"]: _type(attribute, fields[attribute["name"]])
            for attribute in said.json["data"]
            if attribute.get("custom") and attribute["name"] in fields
        }
        return list(misfits("custom data attribute", fields, types, TAKES))

    async def _contact(self, contact: str) -> list[dict[str, Any]]:
        said = await self.api.call("GET", f"/contacts/{contact}", expect=(404,))
        return [said.json] if said.status == 200 else []

    def _refusal(self, said: ApiReply) -> CrmError:
        """Intercom quotes what it was sent, so its own words are left out."""
        errors = (said.json or {}).get("errors") or [{}]
        words = str(errors)
        at_fault = [name for name in self.names if name in words]
        about = f"it answered {said.status} {errors[0].get('code', '')}".rstrip()
        match said.status:
            case 404:
                return NoRecord(about, 404)
            case _ if at_fault and "does not exist" in words:
                return CrmMisconfigured(f"{about}: there is no attribute {', '.join(at_fault)}", said.status)
            case _:
                return CrmRefused(about + (f" about {', '.join(at_fault)}" if at_fault else ""), said.status)


def pause(headers: Mapping[str, str]) -> float | None:
    """Intercom says when the next ten seconds' share begins, not how long that is."""
    asked, reset = retry_after(headers), headers.get("x-ratelimit-reset", "")
    return asked if asked is not None or not reset.isdecimal() else max(1.0, int(reset) - time.time())


def _type(definition: Mapping[str, Any], source: Source) -> str:
    kind, name = str(definition["data_type"]), str(definition["name"])
    options = {each["value"] if isinstance(each, dict) else each for each in definition.get("options") or ()}
    if definition.get("api_writable") is False:
        return "read-only"
    if options and source == "band" and not options.issuperset(BANDS):
        return f"a list without {', '.join(sorted(set(BANDS) - options))}"
    if source == "answered_at" and (kind == "date") != name.endswith("_at"):
        return f"{kind}, and its name {'ends' if name.endswith('_at') else 'does not end'} in _at"
    return "text for times" if kind == "string" and source == "answered_at" else kind


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


@dataclass(frozen=True)
class Intercom:
    """Notes there are never changed: what has grown is told in a further one. An event is told once."""

    api: IntercomApi
    options: IntercomOptions = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """Needs the permissions to read people and attributes."""
        return await self.api.misfits(self.options.fields)

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Write the responses one after the other; the ids are those of the notes."""
        return [await self._push(each) for each in answers]

    async def _push(self, answer: ResponseToPush) -> str:
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

    async def _write_note(self, template: Template, contact: str, answer: ResponseToPush) -> None:
        text = note_of(template, answer, LONGEST_NOTE)
        if (answer.tried or answer.remote_id) and await self.api.has_note(contact, text.splitlines()[-1]):
            return
        author = {"admin_id": self.options.admin_id} if self.options.admin_id else {}
        await self.api.call("POST", f"/contacts/{contact}/notes", {"body": as_html(text), **author})

    async def _track(self, name: str, contact: str, answer: ResponseToPush) -> None:
        """Intercom itself passes over a repeated one: same contact, name and second."""
        told = {
            key: _shortened(value)
            for key, value in filled(self.options.event_fields, answer).items()
            if value is not None
        }
        body = {"event_name": name, "created_at": seconds(answer), "id": contact, "metadata": told}
        await self.api.call("POST", "/events", body)

    async def _fill(self, contact: str, held: Mapping[str, Any], answer: ResponseToPush) -> None:
        newest = newest_field(self.options.fields)
        if not self.options.fields or (newest and _is_late(answer, held.get(newest))):
            return
        given = {name: _shortened(value) for name, value in filled(self.options.fields, answer).items()}
        for name, source in self.options.fields.items():
            if source == "answered_at" and name.endswith("_at"):  # how Intercom knows its dates
                given[name] = seconds(answer)
        await self.api.call("PUT", f"/contacts/{contact}", {"custom_attributes": given})


def seconds(answer: ResponseToPush) -> int:
    """When the answer was given, in seconds since 1970."""
    return int(datetime.fromisoformat(answer.columns["answered_at"]).timestamp())


def _is_late(answer: ResponseToPush, held: object) -> bool:
    return held > seconds(answer) if isinstance(held, int) else is_late(answer, held)


def _shortened(value: Any) -> Any:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def connect(options: IntercomOptions, outgoing: GuardedHttp) -> Crm:
    """The workspace that the token is of."""
    headers = {
        "Authorization": f"Bearer {options.token.get_secret_value()}",
        "Intercom-Version": options.api_version,
    }
    return Intercom(
        IntercomApi(Api(outgoing, options.api_url, headers, pause), options.fields.keys()), options
    )


KIND = CrmKind(IntercomOptions, connect)
