"""Mailchimp: merge fields of an audience's contact, and a tag.

Own HTTP: Mailchimp's Python client has seen no release since 2022, and its errors do not keep the answer's headers.
"""

import re
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator, model_validator

from app.crm.api import Api
from app.crm.kinds import CrmKind
from app.crm.newest import EVERYTHING, NUMBERS, BandTags, MarketingContact, NewestAnswer, as_text
from app.crm.options import By, Kind, Matching, Options, Source
from app.errors import CrmMisconfigured
from app.ports import Crm
from app.web import GuardedHttp

DATA_CENTRE = re.compile(r"-([a-z]+\d+)$")
LONGEST_BYTES = 255  # what a text field takes
MERGE_TAG = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
READ = "id,contact_id,status,merge_fields,tags"
TAKES: Mapping[str, Collection[Kind]] = {"text": EVERYTHING, "number": NUMBERS}


class MailchimpOptions(Options):
    """Which audience, and who may write to it."""

    token: SecretStr = Field(description="An API key; its end names the data centre, such as -us21.")
    audience: str = Field(pattern=r"^\w+$", description="The audience's (list's) id.")
    fields: dict[str, Source] = Field(
        {
            "NPSSCORE": "score",
            "NPSBAND": "band",
            "NPSCOMMENT": "comment",
            "NPSAT": "answered_at",
            "NPSSURVEY": "survey_id",
        },
        description="Each merge tag (10 characters at most), and what it is filled from.",
    )
    tags: BandTags = Field(BandTags(), description="The tag of each band; null: none.")
    at_once: int = Field(
        4, ge=1, le=10, description="Pushes under way at the same time; Mailchimp takes 10 connections."
    )
    match: Matching = Field(
        Matching(by=("crm_id", "email")),
        description="How the contact is found; crm_id is its contact id, its hash or its e-mail.",
    )
    api_url: str | None = Field(
        None, description="Where the API is; from the key's data centre where it is not set."
    )

    @field_validator("fields")
    @classmethod
    def _are_merge_tags(cls, fields: dict[str, Source]) -> dict[str, Source]:
        for name in fields:
            if not MERGE_TAG.fullmatch(name) or name == "EMAIL":
                raise ValueError(f"{name} is no merge tag: up to 10 capitals, digits and _, and not EMAIL")
        return fields

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if self.api_url is None and not DATA_CENTRE.search(self.token.get_secret_value()):
            raise ValueError("token does not end in a data centre such as -us21; if it is right, set api_url")
        if "phone" in self.match.by:
            raise ValueError("match.by: Mailchimp finds nobody by phone")
        return self


@dataclass(frozen=True)
class Mailchimp:
    """One audience's contacts. Their status is read, and never written."""

    api: Api
    path: str
    takes: Mapping[str, Collection[Kind]] = field(default_factory=lambda: TAKES, repr=False)

    async def fields(self) -> Mapping[str, str]:
        """The contact's merge fields, by their tags."""
        query = {"count": "1000", "fields": "merge_fields.tag,merge_fields.type"}
        said = await self.api.call("GET", f"{self.path}/merge-fields", query=query, expect=(404,))
        if said.status == 404:
            raise CrmMisconfigured("there is no such audience", 404)
        return {each["tag"]: each["type"] for each in said.json["merge_fields"]}

    async def find(self, by: By, value: str) -> Sequence[str]:
        """Knows contacts by e-mail, under which there is one, and by its own ids."""
        contact = await self.read(subscriber_hash(value) if by == "email" or "@" in value else value)
        return [contact.contact_id] if contact else []

    async def read(self, contact_id: str) -> MarketingContact | None:
        """An archived contact is one that was deleted."""
        path = f"{self.path}/members/{quote(contact_id, safe='')}"
        said = await self.api.call("GET", path, query={"fields": READ}, expect=(404,))
        if said.status == 404 or said.json["status"] == "archived":
            return None
        member = said.json
        tags = frozenset(each["name"] for each in member["tags"])
        return MarketingContact(
            member.get("contact_id") or member["id"], member["merge_fields"], tags, member
        )

    async def write(
        self, contact: MarketingContact, fields: Mapping[str, Any], add: frozenset[str], take: frozenset[str]
    ) -> None:
        """Two requests where a tag changes; the second may be repeated by itself."""
        # A merge field that does not exist would be passed over in silence.
        if lacking := sorted(fields.keys() - contact.fields.keys()):
            raise CrmMisconfigured(f"the audience has no merge field {', '.join(lacking)}")
        member = f"{self.path}/members/{contact.record['id']}"
        body = {"merge_fields": {name: _merge_value(value) for name, value in fields.items()}}
        await self.api.call("PATCH", member, body, query={"skip_merge_validation": "true"})
        if add or take:
            active = [{"name": name, "status": "active"} for name in sorted(add)]
            inactive = [{"name": name, "status": "inactive"} for name in sorted(take)]
            await self.api.call("POST", f"{member}/tags", {"tags": active + inactive})


def subscriber_hash(email: str) -> str:
    """What Mailchimp knows an address by: the MD5 of it in small letters."""
    return md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def _merge_value(value: Any) -> str | int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = as_text(value)
    if len(text.encode()) <= LONGEST_BYTES:
        return text
    return text.encode()[: LONGEST_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def connect(options: MailchimpOptions, outgoing: GuardedHttp) -> Crm:
    """The connector to the audience that the options name. Sends nothing yet."""
    token = options.token.get_secret_value()
    centre = DATA_CENTRE.search(token)
    base = options.api_url or f"https://{centre[1] if centre else ''}.api.mailchimp.com/3.0"
    basic = b64encode(f"zeroten:{token}".encode()).decode()
    api = Api(outgoing, base.rstrip("/"), {"Authorization": f"Basic {basic}"})
    return NewestAnswer(
        Mailchimp(api, f"/lists/{options.audience}"), options.fields, options.tags, options.match
    )


KIND = CrmKind(MailchimpOptions, connect)
