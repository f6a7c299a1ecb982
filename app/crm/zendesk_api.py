"""Zendesk's dialect: how users are found there, what its fields take, and what its refusals mean."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from app.crm.api import Api, Said
from app.crm.options import BANDS, By, Kind, Source, misfits
from app.crm.records import same_number
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord

REFUSALS = (400, 404, 409, 422)
TEXT: tuple[Kind, ...] = ("text", "time")
TAKES: Mapping[str, tuple[Kind, ...]] = {
    "text": TEXT,
    "textarea": TEXT,
    "dropdown": ("text",),
    "tagger": ("text",),
    "integer": ("number",),
    "decimal": ("number",),
    "checkbox": ("truth",),
}


def headers(email: str | None, token: str) -> dict[str, str]:
    """What authorises us: an agent's API token, or an OAuth token where no agent is named."""
    if email is None:
        return {"Authorization": f"Bearer {token}"}
    return {"Authorization": "Basic " + b64encode(f"{email}/token:{token}".encode()).decode()}


@dataclass(frozen=True)
class ZendeskApi:
    """One Zendesk account."""

    api: Api

    async def call(
        self, method: str, path: str, body: object | None = None, query: Mapping[str, str | int] | None = None
    ) -> Said:
        """As `Api.call`, with Zendesk's refusals understood."""
        said = await self.api.call(method, path, body, query, expect=REFUSALS)
        if said.status >= 400:
            raise _refusal(said)
        return said

    async def users(self, by: By, value: str) -> list[dict[str, Any]]:
        """The users that have this value, the newest first."""
        if by == "crm_id":
            return await self._user(value) if value.isdecimal() else []
        if '"' in value:
            return []
        said = await self.call("GET", "/api/v2/users/search", query={"query": f'{by}:"{value}"'})
        fitting = [each for each in said.json["users"] if each["active"] and _fits(by, value, each)]
        return sorted(fitting, key=lambda each: str(each["created_at"]), reverse=True)

    async def is_told(self, ticket: int, signature: str) -> bool:
        """Whether an internal note among the ticket's newest 100 comments bears the signature."""
        query: dict[str, str | int] = {"sort": "-created_at", "page[size]": 100}
        said = await self.call("GET", f"/api/v2/tickets/{ticket}/comments", query=query)
        return any(signature in each["body"] for each in said.json["comments"] if not each["public"])

    async def misfits(
        self, path: str, key: Literal["key", "id"], where: str, fields: Mapping[str, Source]
    ) -> list[str]:
        """A sentence for each field that cannot take what it is to be filled from."""
        if not fields:
            return []
        types = {
            str(each[key]): _type(each, fields[str(each[key])])
            async for each in self._fields(path)
            if str(each[key]) in fields
        }
        return list(misfits(where, fields, types, TAKES))

    async def _user(self, user: str) -> list[dict[str, Any]]:
        with suppress(NoRecord):
            said = await self.call("GET", f"/api/v2/users/{user}")
            # Who was deleted can still be read.
            return [said.json["user"]] if said.json["user"]["active"] else []
        return []

    async def _fields(self, path: str) -> AsyncIterator[dict[str, Any]]:
        query: dict[str, str | int] | None = {"page[size]": 100}
        while query is not None:
            said = await self.call("GET", f"/api/v2/{path}", query=query)
            for each in said.json[path]:
                yield each
            meta = said.json.get("meta") or {}
            query = {"page[size]": 100, "page[after]": meta["after_cursor"]} if meta.get("has_more") else None


def _fits(by: By, value: str, user: Mapping[str, Any]) -> bool:
    if by == "phone":
        return same_number(user.get("phone"), value)
    return str(user.get("email") or "").lower() == value.lower()


def _type(definition: Mapping[str, Any], source: Source) -> str:
    if not definition["active"]:
        return "switched off"
    options = {each["value"] for each in definition.get("custom_field_options") or ()}
    lacking = set(BANDS) - options
    if definition["type"] in ("dropdown", "tagger") and source == "band" and lacking:
        return f"a list without {', '.join(sorted(lacking))}"
    return str(definition["type"])


def _is_no_record(said: Said) -> bool:
    return isinstance(said.json, dict) and said.json.get("error") == "RecordNotFound"


def _refusal(said: Said) -> CrmError:
    """Zendesk quotes what it was sent, so its own words are left out."""
    about = f"it answered {said.status}"
    details = said.json.get("details") if isinstance(said.json, dict) else None
    match said.status:
        case 404 if _is_no_record(said):
            return NoRecord(about, 404)
        case 404:
            return CrmMisconfigured(f"{about}: there is no Zendesk at this address", 404)
        case 409:
            return CrmBusy(f"{about}: somebody else changed it just now", 409)
        case 422 if isinstance(details, dict) and "status" in details:
            return CrmRefused(f"{about}: the ticket is closed", 422)
        case _:
            fields = ", ".join(details) if isinstance(details, dict) else ""
            return CrmRefused(f"{about} about {fields}" if fields else about, said.status)
