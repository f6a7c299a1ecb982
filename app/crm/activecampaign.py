"""ActiveCampaign: custom fields of a contact, and a tag.

Own HTTP: ActiveCampaign publishes no Python client, and the others have seen no release since 2023.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import Field, SecretStr

from app.crm.api import Api
from app.crm.kinds import CrmKind
from app.crm.newest import EVERYTHING, NUMBERS, BandTags, Ids, MarketingContact, NewestAnswer, as_text
from app.crm.options import By, Kind, Matching, Options, Source
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.ports import Crm
from app.web import GuardedHttp

A_PAGE = 100
NUMBER = re.compile(r"[0-9]{1,18}")
TAKES: Mapping[str, Collection[Kind]] = {
    "text": EVERYTHING,
    "textarea": EVERYTHING,
    "hidden": EVERYTHING,
    "number": NUMBERS,
}


class ActiveCampaignOptions(Options):
    """Which account, and who may write to it."""

    api_url: str = Field(
        description="The account's URL as Settings, Developer shows it: https://NAME.api-us1.com"
    )
    token: SecretStr = Field(description="The API key that stands beside it.")
    fields: dict[str, Source] = Field(
        {
            "NPS_SCORE": "score",
            "NPS_BAND": "band",
            "NPS_COMMENT": "comment",
            "NPS_ANSWERED_AT": "answered_at",
            "NPS_SURVEY": "survey_id",
        },
        description="Each custom field's personalization tag without its %, and what it is filled from.",
    )
    tags: BandTags = Field(BandTags(), description="The tag of each band; null: none.")
    match: Matching = Field(Matching(), description="How the contact is found; crm_id is its number.")
    per_second: float = Field(
        1.0, gt=0, le=5, description="Pushes a second; each is 3 to 6 of the 5 requests."
    )
    at_once: int = Field(1, ge=1, le=5, description="Pushes under way at the same time.")


@dataclass(frozen=True)
class ActiveCampaign:
    """The contacts of one ActiveCampaign account: found, read and written over its API, version 3."""

    api: Api
    field_ids: Ids = field(repr=False)
    tag_ids: Ids = field(repr=False)
    takes: Mapping[str, Collection[Kind]] = field(default_factory=lambda: TAKES, repr=False)

    async def fields(self) -> Mapping[str, str]:
        """The contact's custom fields, by their personalization tags."""
        return {each["perstag"]: each["type"] for each in await _all(self.api, "/fields", "fields")}

    async def find(self, by: By, value: str) -> Sequence[str]:
        """By phone where it is written as we write it: the API looks for what a number begins with."""
        match by:
            case "crm_id":
                return [value] if NUMBER.fullmatch(value) and await self._contact(value) else []
            case "email" | "phone":
                query = {by: value, "orders[id]": "desc"}
                found = await _all(self.api, "/contacts", "contacts", query)
                return [each["id"] for each in found if each[by].lower() == value.lower()]

    async def read(self, contact_id: str) -> MarketingContact | None:
        """Of its tags only those of the bands; ``record`` holds by which ids they are taken away."""
        contact = await self._contact(contact_id)
        if contact is None:
            return None
        values = {each["field"]: each["value"] for each in contact["fieldValues"]}
        fields = {name: values.get(field_id) for name, field_id in (await self.field_ids.known()).items()}
        tag_ids = await self.tag_ids.known()
        tagged = {
            tagging["tag"]: tagging["id"]
            for tagging in await _all(self.api, f"/contacts/{contact_id}/contactTags", "contactTags")
        }
        tags = {name: tagged[tag_id] for name, tag_id in tag_ids.items() if tag_id in tagged}
        return MarketingContact(contact_id, fields, frozenset(tags), tags)

    async def write(
        self, contact: MarketingContact, fields: Mapping[str, Any], add: frozenset[str], take: frozenset[str]
    ) -> None:
        """A request for the fields, and one for each tag that changes; any may be repeated by itself."""
        field_ids, tag_ids = await self.field_ids.known(), await self.tag_ids.known()
        values = [{"field": field_ids[name], "value": as_text(value)} for name, value in fields.items()]
        await self.api.call("PUT", f"/contacts/{contact.contact_id}", {"contact": {"fieldValues": values}})
        for name in add:
            tagged = {"contact": contact.contact_id, "tag": tag_ids[name]}
            said = await self.api.call("POST", "/contactTags", {"contactTag": tagged}, expect=(404,))
            if said.status == 404:
                self.tag_ids.forget()
                raise CrmBusy("the contact or a tag is gone", 404)
        for name in take:
            await self.api.call("DELETE", f"/contactTags/{contact.record[name]}", expect=(404,))

    async def _contact(self, contact_id: str) -> Any:
        said = await self.api.call("GET", f"/contacts/{contact_id}", expect=(404,))
        return None if said.status == 404 else said.json


async def _field_ids(api: Api) -> Mapping[str, str]:
    return {each["perstag"]: each["id"] for each in await _all(api, "/fields", "fields")}


async def _tag_ids(api: Api, names: frozenset[str]) -> Mapping[str, str]:
    """The ids of contacts' tags; one that does not exist is made."""
    return {name: await _tag_id(api, name) for name in sorted(names)}


async def _tag_id(api: Api, name: str) -> str:
    found = await _all(api, "/tags", "tags", {"filters[search][eq]": name})
    known = [each["id"] for each in found if (each["tag"], each["tagType"]) == (name, "contact")]
    return known[0] if known else await _make_tag(api, name)


async def _make_tag(api: Api, name: str) -> str:
    tag = {"tag": name, "tagType": "contact", "description": "Set by Zeroten"}
    try:
        said = await api.call("POST", "/tags", {"tag": tag})
    except CrmRefused as refused:
        raise CrmMisconfigured(f"the tag {name} cannot be made: {refused}", refused.http_status) from None
    return str(said.json["tag"]["id"])


async def _all(api: Api, path: str, key: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Every page; a list that is never cut comes again whole, and adds nothing."""
    found: dict[str, dict[str, Any]] = {}
    while True:
        said = await api.call("GET", path, query={**(query or {}), "limit": A_PAGE, "offset": len(found)})
        page = {each["id"]: each for each in said.json[key]}
        if len(page) < A_PAGE or page.keys() <= found.keys():
            return list((found | page).values())
        found |= page


def connect(options: ActiveCampaignOptions, outgoing: GuardedHttp) -> Crm:
    """The connector to the account that the options name. Sends nothing yet."""
    base = options.api_url.rstrip("/").removesuffix("/api/3") + "/api/3"
    api = Api(outgoing, base, {"Api-Token": options.token.get_secret_value()})
    field_ids = Ids("custom field", frozenset(options.fields), partial(_field_ids, api))
    tag_ids = Ids("tag", options.tags.names, partial(_tag_ids, api, options.tags.names))
    return NewestAnswer(ActiveCampaign(api, field_ids, tag_ids), options.fields, options.tags, options.match)


KIND = CrmKind(ActiveCampaignOptions, connect)
