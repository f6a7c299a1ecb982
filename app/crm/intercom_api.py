"""Intercom's dialect: how contacts are found there, what attributes take, and what its refusals mean."""

import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.crm.api import Api, Said, retry_after
from app.crm.options import BANDS, By, Kind, Source, misfits
from app.errors import CrmError, CrmMisconfigured, CrmRefused, NoRecord

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
    ) -> Said:
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

    async def is_told(self, contact: str, signature: str) -> bool:
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
            each["name"]: _type(each, fields[each["name"]])
            for each in said.json["data"]
            if each.get("custom") and each["name"] in fields
        }
        return list(misfits("custom data attribute", fields, types, TAKES))

    async def _contact(self, contact: str) -> list[dict[str, Any]]:
        said = await self.api.call("GET", f"/contacts/{contact}", expect=(404,))
        return [said.json] if said.status == 200 else []

    def _refusal(self, said: Said) -> CrmError:
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
