"""HubSpot's dialect: how contacts are found there, how values are written, and what its refusals mean."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from phonenumbers import national_significant_number, parse
from pydantic import Field, SecretStr

from app.config import Strict
from app.crm.api import Api, ApiReply
from app.crm.kinds import CrmKind
from app.crm.matching import match
from app.crm.options import BANDS, By, Kind, Matching, Options, Source, Template, filled, misfits
from app.crm.records import DEFAULT_NOTE, as_html, is_late, marker, newest_field, note_of, same_number
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

CONTACTS = "/crm/v3/objects/contacts"
PHONES = ("phone", "mobilephone")
SEARCHABLE_PHONES = ("hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number")
KNOWN_BY = ("email", "hs_additional_emails", *PHONES)
LOCKED = frozenset({423, 477})  # a record being written, and an account being moved
TAKES: Mapping[str, tuple[Kind, ...]] = {
    "string": ("text", "number", "truth", "time"),
    "number": ("number",),
    "bool": ("truth",),
    "datetime": ("time",),
    "enumeration": ("text", "number", "truth"),
}
OURS_TO_MEND = ("PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE")


@dataclass(frozen=True)
class HubspotApi:
    """``names`` are the properties that we write: a refusal may name those, and nothing else of what it quotes."""

    api: Api
    names: Collection[str]

    async def call(
        self, method: str, path: str, body: object | None = None, query: Mapping[str, str | int] | None = None
    ) -> ApiReply:
        """As `Api.call`, with HubSpot's refusals understood."""
        said = await self.api.call(method, path, body, query, expect=(400, 404, 409, *LOCKED))
        if said.status >= 400:
            raise self.refusal(said)
        return said

    async def contacts(self, by: By, value: str, wanted: Collection[str]) -> list[dict[str, Any]]:
        """The contacts that have this value, the newest first, with the ``wanted`` properties."""
        if by == "crm_id":
            return await self._contact(value, wanted) if value.isdecimal() else []
        groups = [{"filters": [each]} for each in (_by_email(value) if by == "email" else _by_phone(value))]
        body = {"filterGroups": groups, "properties": [*KNOWN_BY, *wanted], "limit": 100}
        said = await self.call("POST", f"{CONTACTS}/search", body)
        fitting = [each for each in said.json["results"] if _fits(by, value, each["properties"])]
        return sorted(fitting, key=lambda each: str(each["createdAt"]), reverse=True)

    async def _contact(self, contact: str, wanted: Collection[str]) -> list[dict[str, Any]]:
        query = {"properties": ",".join(wanted)} if wanted else None
        said = await self.api.call("GET", f"{CONTACTS}/{contact}", query=query, expect=(404,))
        return [said.json] if said.status == 200 else []

    async def misfits(self, object_type: str, where: str, fields: Mapping[str, Source]) -> list[str]:
        """A sentence for each property that cannot take what it is to be filled from."""
        if not fields:
            return []
        body = {"archived": False, "inputs": [{"name": name} for name in fields]}
        said = await self.call("POST", f"/crm/v3/properties/{object_type}/batch/read", body)
        types = {each["name"]: _type(each, fields[each["name"]]) for each in said.json["results"]}
        return list(misfits(where, fields, types, TAKES))

    def refusal(self, said: ApiReply) -> CrmError:
        """What follows from an error. HubSpot quotes what it was sent, so its own words are left out."""
        words = str(said.json)
        at_fault = [name for name in self.names if f'"{name}"' in words or f"'{name}'" in words]
        about = f"it answered {said.status}" + (f" about {', '.join(at_fault)}" if at_fault else "")
        if said.status in LOCKED:
            return CrmBusy(about, said.status)
        if said.status == 404:
            return NoRecord(about, said.status)
        if any(each in words for each in OURS_TO_MEND):
            return CrmMisconfigured(f"{about}: there is no such property, or it is read-only", said.status)
        return CrmRefused(about, said.status)


def properties(fields: Mapping[str, Source], answer: ResponseToPush) -> dict[str, str]:
    """The properties as HubSpot writes them; an empty one clears what was there."""
    return {name: _text(value) for name, value in filled(fields, answer).items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _by_email(email: str) -> list[dict[str, str]]:
    return [
        {"propertyName": "email", "operator": "EQ", "value": email},
        {"propertyName": "hs_additional_emails", "operator": "CONTAINS_TOKEN", "value": email},
    ]


def _by_phone(phone: str) -> list[dict[str, str]]:
    """As it was typed, and as HubSpot itself writes it for searching: without the country."""
    national = national_significant_number(parse(phone))
    return [
        *({"propertyName": name, "operator": "EQ", "value": phone} for name in PHONES),
        *({"propertyName": name, "operator": "EQ", "value": national} for name in SEARCHABLE_PHONES),
    ]


def _fits(by: By, value: str, known: Mapping[str, str | None]) -> bool:
    if by == "phone":
        return any(same_number(known.get(name), value) for name in PHONES)
    emails = [known.get("email") or "", *(known.get("hs_additional_emails") or "").split(";")]
    return value.lower() in map(str.lower, emails)


def _type(definition: Mapping[str, Any], source: Source) -> str:
    if (definition.get("modificationMetadata") or {}).get("readOnlyValue"):
        return "read-only"
    lacking = set(BANDS).difference(each["value"] for each in definition["options"])
    if definition["type"] == "enumeration" and source == "band" and lacking:
        return f"a list without {', '.join(sorted(lacking))}"
    return str(definition["type"])


NOTES = "/crm/v3/objects/notes"
NOTE_TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
LONGEST_NOTE = 10_000  # HubSpot takes 65,536, of which escaping may need some
NOTES_A_READ = 100


class HubspotObject(Strict):
    """An object of the operator's own that has a record for each response."""

    type: str = Field(pattern=r"^[\w-]+$", description="Its name, such as p_nps_response, or its id, 2-...")
    id_property: str = Field(description="The property that holds the survey id; its values must be unique.")
    fields: dict[str, Source] = Field(description="Its other properties, and what each is filled from.")


class HubspotOptions(Options):
    """Whose HubSpot, and what goes where."""

    token: SecretStr = Field(description="A private app's access token, pat-...")
    fields: dict[str, Source] = Field({}, description="Contact properties, and what each is filled from.")
    note: Template | None = Field(DEFAULT_NOTE, description="The note; null for none.")
    record: HubspotObject | None = Field(
        None, description="A record of your own object, in the note's place."
    )
    match: Matching = Field(Matching(), description="How the contact is found.")
    per_second: float = Field(3.0, gt=0, le=20, description="Pushes a second; each is 2 to 4 requests.")
    api_url: str = Field("https://api.hubapi.com", description="Where HubSpot's API is.")


@dataclass(frozen=True)
class Hubspot:
    """Writes each response to HubSpot: a note or a record of its own, and then fields of the contact.

    The note or record is first, since it keeps every response; the fields hold the newest one only.
    """

    api: HubspotApi
    options: HubspotOptions = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """Needs the scope crm.schemas.contacts.read where there are fields, and that of the object."""
        await self.api.call("GET", CONTACTS, query={"limit": 1})
        problems = await self.api.misfits("contacts", "contact property", self.options.fields)
        if (own := self.options.record) is not None:
            names = {own.id_property: "survey_id", **own.fields}
            problems += await self.api.misfits(own.type, f"property of {own.type}", names)
        return problems

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Write the responses one after the other; the ids are those of the notes or records."""
        return [await self._push(each) for each in answers]

    async def _push(self, answer: ResponseToPush) -> str:
        newest = newest_field(self.options.fields)
        found: dict[str, Any] = {}

        async def find(by: By, value: str) -> list[str]:
            contacts = await self.api.contacts(by, value, [newest] if newest else [])
            found.update((each["id"], each["properties"]) for each in contacts)
            return [str(each["id"]) for each in contacts]

        contact = await match(self.options.match, answer.customer, find)
        remote_id = await self._keep(contact, answer)
        if self.options.fields and not (newest and is_late(answer, found[contact].get(newest))):
            body = {"properties": properties(self.options.fields, answer)}
            await self.api.call("PATCH", f"{CONTACTS}/{contact}", body)
        return remote_id

    async def _keep(self, contact: str, answer: ResponseToPush) -> str:
        if self.options.record is not None:
            return await self._keep_record(self.options.record, contact, answer)
        if self.options.note is not None:
            return await self._keep_note(self.options.note, contact, answer)
        return contact

    async def _keep_note(self, template: Template, contact: str, answer: ResponseToPush) -> str:
        text = as_html(note_of(template, answer, LONGEST_NOTE))
        body = {"properties": {"hs_timestamp": answer.columns["answered_at"], "hs_note_body": text}}
        note = answer.remote_id
        if note is None and answer.tried:
            note = await self._find_note(contact, marker(answer.survey_id))
        if note is not None:
            with suppress(NoRecord):  # somebody has deleted it
                await self.api.call("PATCH", f"{NOTES}/{quote(note, safe='')}", body)
                return note
        to_contact = [{"to": {"id": contact}, "types": [NOTE_TO_CONTACT]}]
        said = await self.api.call("POST", NOTES, {**body, "associations": to_contact})
        return str(said.json["id"])

    async def _find_note(self, contact: str, mark: str) -> str | None:
        """Searching would be shorter, but what was written a moment ago is not found by it yet."""
        async for ids in self._notes_of(contact):
            for start in range(0, len(ids), NOTES_A_READ):
                inputs = [{"id": each} for each in ids[start : start + NOTES_A_READ]]
                body = {"inputs": inputs, "properties": ["hs_note_body"], "propertiesWithHistory": []}
                notes = await self.api.call("POST", f"{NOTES}/batch/read", body)
                for note in notes.json["results"]:
                    if mark in (note["properties"].get("hs_note_body") or ""):
                        return str(note["id"])
        return None

    async def _notes_of(self, contact: str) -> AsyncIterator[list[str]]:
        path = f"/crm/v4/objects/contacts/{contact}/associations/notes"
        query: dict[str, str | int] | None = {"limit": 500}
        while query is not None:
            said = await self.api.call("GET", path, query=query)
            yield [str(each["toObjectId"]) for each in said.json["results"]]
            further = (said.json.get("paging") or {}).get("next")
            query = {"limit": 500, "after": further["after"]} if further else None

    async def _keep_record(self, own: HubspotObject, contact: str, answer: ResponseToPush) -> str:
        survey_id = str(answer.survey_id)
        filling = {own.id_property: survey_id, **properties(own.fields, answer)}
        body = {"inputs": [{"idProperty": own.id_property, "id": survey_id, "properties": filling}]}
        said = await self.api.call("POST", f"/crm/v3/objects/{own.type}/batch/upsert", body)
        if said.status == 207:
            raise self.api.refusal(ApiReply(400, said.json))
        record = str(said.json["results"][0]["id"])
        path = f"/crm/v4/objects/{own.type}/{record}/associations/default/contacts/{contact}"
        await self.api.call("PUT", path)
        return record


def connect(options: HubspotOptions, outgoing: GuardedHttp) -> Crm:
    """The account that the token is of."""
    headers = {"Authorization": f"Bearer {options.token.get_secret_value()}"}
    own = (options.record.id_property, *options.record.fields) if options.record else ()
    return Hubspot(HubspotApi(Api(outgoing, options.api_url, headers), {*options.fields, *own}), options)


KIND = CrmKind(HubspotOptions, connect)
