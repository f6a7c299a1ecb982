"""HubSpot's dialect: how contacts are found there, how values are written, and what its refusals mean."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from phonenumbers import national_significant_number, parse

from app.crm.api import Api, Said
from app.crm.options import BANDS, By, Kind, Source, filled, misfits
from app.crm.records import same_number
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import Answer

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
    ) -> Said:
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

    def refusal(self, said: Said) -> CrmError:
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


def properties(fields: Mapping[str, Source], answer: Answer) -> dict[str, str]:
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
