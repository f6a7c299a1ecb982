"""GetResponse's API: pages, ids by name, and how it says to come back later."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from app.crm.api import Api, ApiReply, retry_after
from app.crm.kinds import CrmKind
from app.crm.newest import EVERYTHING, NUMBERS, BandTags, Ids, MarketingContact, NewestAnswer, as_text
from app.crm.options import By, Kind, Matching, Options, Source
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.ports import Crm
from app.web import GuardedHttp

A_PAGE = 1000


@dataclass(frozen=True)
class GetResponseAccount:
    """What is asked for in pages, and by name."""

    api: Api

    async def all(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The items of every page, until one is not full."""
        found: list[dict[str, Any]] = []
        while True:
            paged = {**query, "perPage": str(A_PAGE), "page": str(len(found) // A_PAGE + 1)}
            page = (await self.api.call("GET", path, query=paged)).json
            found += page
            if len(page) < A_PAGE:
                return found

    async def field_ids(self) -> Mapping[str, str]:
        """The ids of all custom fields, by name."""
        return {each["name"]: each["customFieldId"] for each in await self.all("/custom-fields", {})}

    async def tag_ids(self, names: frozenset[str]) -> Mapping[str, str]:
        """The ids of these tags; one that does not exist is made."""
        return {name: await self._tag_id(name) for name in sorted(names)}

    async def _tag_id(self, name: str) -> str:
        found = await self.all("/tags", {"query[name]": name})
        known = [each["tagId"] for each in found if each["name"] == name]
        return known[0] if known else await self._make_tag(name)

    async def _make_tag(self, name: str) -> str:
        try:
            said = await self.api.call("POST", "/tags", {"name": name})
        except CrmRefused as refused:
            raise CrmMisconfigured(f"the tag {name} cannot be made: {refused}", refused.http_status) from None
        return str(said.json["tagId"])


def pause(headers: Mapping[str, str]) -> float | None:
    """From Retry-After, or the seconds until the window's end, such as ``432 seconds``."""
    seconds = re.match(r"\d+", headers.get("x-ratelimit-reset", ""))
    return retry_after(headers) or (float(seconds[0]) if seconds else None)


API_URL = "https://api.getresponse.com/v3"
RELATED_IS_GONE = 1001
TAKES: Mapping[str, Collection[Kind]] = {"text": EVERYTHING, "textarea": EVERYTHING, "number": NUMBERS}


class GetResponseOptions(Options):
    """Which account, and who may write to it."""

    token: SecretStr = Field(description="An API key.")
    list_id: str | None = Field(None, description="The list that contacts are looked for in; null: in all.")
    domain: str | None = Field(
        None,
        pattern=r"^[\w-]+(\.[\w-]+)+$",
        description="For MAX (enterprise) accounts: the account's domain, such as example.com.",
    )
    api_url: str = Field(
        API_URL,
        description="For MAX: https://api3.getresponse360.com/v3, or .pl; the account manager knows which.",
    )
    fields: dict[str, Source] = Field(
        {
            "nps_score": "score",
            "nps_band": "band",
            "nps_comment": "comment",
            "nps_answered_at": "answered_at",
            "nps_survey": "survey_id",
        },
        description="Each custom field's name, and what it is filled from.",
    )
    tags: BandTags = Field(BandTags(), description="The tag of each band; null: none.")
    at_once: int = Field(
        4, ge=1, le=10, description="Pushes under way at the same time; GetResponse takes 10 requests."
    )
    match: Matching = Field(
        Matching(by=("crm_id", "email")), description="How the contact is found; crm_id is its contactId."
    )

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if self.domain and self.api_url == API_URL:
            raise ValueError("domain is for MAX accounts: set api_url to theirs")
        if self.domain and self.domain.startswith("www."):
            raise ValueError("domain stands without www.")
        if "phone" in self.match.by:
            raise ValueError("match.by: GetResponse finds nobody by phone")
        return self


@dataclass(frozen=True)
class GetResponse:
    """One account's contacts. An address may stand in several lists, each time as a contact of its own."""

    account: GetResponseAccount
    list_id: str | None
    field_ids: Ids = field(repr=False)
    tag_ids: Ids = field(repr=False)
    takes: Mapping[str, Collection[Kind]] = field(default_factory=lambda: TAKES, repr=False)

    async def fields(self) -> Mapping[str, str]:
        """By name; the type is that of the value where it is no text, else that of the input."""
        return {
            field["name"]: field["fieldType"] if field["valueType"] == "string" else field["valueType"]
            for field in await self.account.all("/custom-fields", {})
        }

    async def find(self, by: By, value: str) -> Sequence[str]:
        """The ids of the contacts with this value, the newest first; by phone it is never asked."""
        if by == "crm_id":
            said = await self.account.api.call("GET", _path(value), expect=(400, 404))
            return [value] if said.status == 200 else []
        query = {"query[email]": value, "sort[createdOn]": "desc"}
        if self.list_id:
            query["query[campaignId]"] = self.list_id
        found = await self.account.all("/contacts", query)
        return [each["contactId"] for each in found if each["email"].lower() == value.lower()]

    async def read(self, contact_id: str) -> MarketingContact | None:
        """The contact with all its fields and tags; None where it is gone."""
        said = await self.account.api.call("GET", _path(contact_id), expect=(404,))
        if said.status == 404:
            return None
        fields = {each["name"]: next(iter(each["value"]), None) for each in _values(said.json)}
        return MarketingContact(
            contact_id, fields, frozenset(each["name"] for each in _tags(said.json)), said.json
        )

    async def write(
        self, contact: MarketingContact, fields: Mapping[str, Any], add: frozenset[str], take: frozenset[str]
    ) -> None:
        """In one request, which replaces all fields and tags: what is not ours goes back as it came."""
        field_ids, tag_ids = await self.field_ids.known(), await self.tag_ids.known()
        ours = {field_ids[name]: as_text(value) for name, value in fields.items()}
        kept = {each["customFieldId"]: each["value"] for each in _values(contact.record)}
        values = {**kept, **{field_id: [text] if text else [] for field_id, text in ours.items()}}
        tags = [each["tagId"] for each in _tags(contact.record) if each["name"] not in take]
        body = {
            "customFieldValues": [
                {"customFieldId": field_id, "value": value} for field_id, value in values.items() if value
            ],
            "tags": [{"tagId": each} for each in [*tags, *(tag_ids[name] for name in sorted(add))]],
        }
        said = await self.account.api.call("POST", _path(contact.contact_id), body, expect=(400,))
        if said.status == 400:
            self._raise_for(said)

    def _raise_for(self, said: ApiReply) -> None:
        error = said.json if isinstance(said.json, dict) else {}
        if error.get("code") == RELATED_IS_GONE:  # a field or tag was deleted since we asked
            self.field_ids.forget()
            self.tag_ids.forget()
            raise CrmBusy("a custom field or a tag is gone", 400)
        raise CrmRefused(f"it answered 400: {error.get('codeDescription', 'no reason')}", 400)


def _path(contact_id: str) -> str:
    return f"/contacts/{quote(contact_id, safe='')}"


def _values(contact: Any) -> list[dict[str, Any]]:
    return contact.get("customFieldValues") or []


def _tags(contact: Any) -> list[dict[str, Any]]:
    return contact.get("tags") or []


def connect(options: GetResponseOptions, outgoing: GuardedHttp) -> Crm:
    """The connector to the account that the options name. Sends nothing yet."""
    headers = {"X-Auth-Token": f"api-key {options.token.get_secret_value()}"}
    domain = {"X-Domain": options.domain} if options.domain else {}
    account = GetResponseAccount(Api(outgoing, options.api_url.rstrip("/"), headers | domain, pause))
    field_ids = Ids("custom field", frozenset(options.fields), account.field_ids)
    tag_ids = Ids("tag", options.tags.names, partial(account.tag_ids, options.tags.names))
    contacts = GetResponse(account, options.list_id, field_ids, tag_ids)
    return NewestAnswer(contacts, options.fields, options.tags, options.match)


KIND = CrmKind(GetResponseOptions, connect)
