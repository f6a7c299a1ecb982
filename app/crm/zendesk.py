"""Zendesk's dialect: how users are found there, what its fields take, and what its refusals mean."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, SecretStr

from app.crm.api import Api, ApiReply
from app.crm.kinds import CrmKind
from app.crm.matching import match
from app.crm.options import BANDS, By, Kind, Matching, Options, Source, Template, filled, misfits, values
from app.crm.records import DEFAULT_NOTE, is_late, newest_field, note_of, same_number
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

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
    """One Zendesk account over its API: users, tickets and their fields."""

    api: Api

    async def call(
        self, method: str, path: str, body: object | None = None, query: Mapping[str, str | int] | None = None
    ) -> ApiReply:
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

    async def has_note(self, ticket: int, signature: str) -> bool:
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
            str(field[key]): _type(field, fields[str(field[key])])
            async for field in self._fields(path)
            if str(field[key]) in fields
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
            for item in said.json[path]:
                yield item
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


def _is_no_record(said: ApiReply) -> bool:
    return isinstance(said.json, dict) and said.json.get("error") == "RecordNotFound"


def _refusal(said: ApiReply) -> CrmError:
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


LONGEST_NOTE = 10_000  # Zendesk takes 65,535 bytes


class ZendeskOptions(Options):
    """Whose Zendesk, and what goes where."""

    api_url: str = Field(description="Your Zendesk's address, such as https://example.zendesk.com.")
    email: str | None = Field(
        None, description="The agent whom the API token is used as; null: an OAuth token."
    )
    token: SecretStr = Field(description="An API token, or an OAuth access token.")
    fields: dict[str, Source] = Field(
        {
            "nps_score": "score",
            "nps_band": "band",
            "nps_comment": "comment",
            "nps_answered_at": "answered_at",
        },
        description="User fields, each by its key, and what it is filled from.",
    )
    ticket: Source | None = Field(
        "attributes.ticket_id", description="Where the interaction says its ticket; null: no tickets."
    )
    ticket_fields: dict[int, Source] = Field(
        {}, description="Ticket fields, each by its id, and what it is filled from."
    )
    note: Template | None = Field(DEFAULT_NOTE, description="The ticket's internal note; null for none.")
    match: Matching = Field(Matching(), description="How the user is found.")
    per_second: float = Field(1.0, gt=0, le=20, description="Pushes a second; each is 2 to 4 requests.")
    at_once: int = Field(2, ge=1, le=10, description="Pushes under way at the same time.")


@dataclass(frozen=True)
class Zendesk:
    """Notes there are never changed: what has grown is told in a further one."""

    api: ZendeskApi
    options: ZendeskOptions = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """What keeps the options from working; reading ticket and user fields needs an administrator's token."""
        ticket_fields = {str(each): source for each, source in self.options.ticket_fields.items()}
        return [
            *await self.api.misfits("user_fields", "key", "user field", self.options.fields),
            *await self.api.misfits("ticket_fields", "id", "ticket field", ticket_fields),
        ]

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Write the responses one after the other; the ids are ``tickets/ID`` or ``users/ID``."""
        return [await self._push(each) for each in answers]

    async def _push(self, answer: ResponseToPush) -> str:
        ticket = self._ticket(answer)
        try:
            user = await self._user(answer)
        except NoRecord:
            if ticket is None:
                raise
            await self._tell_ticket(ticket, answer)  # it says itself whose it is
            return f"tickets/{ticket}"
        if ticket is not None:
            await self._tell_ticket(ticket, answer)
        await self._fill_user(user, answer)
        return f"users/{user['id']}" if ticket is None else f"tickets/{ticket}"

    def _ticket(self, answer: ResponseToPush) -> int | None:
        named = values(answer).get(self.options.ticket) if self.options.ticket else None
        if named in (None, ""):
            return None
        if not str(named).isdecimal():
            raise NoRecord(f"{self.options.ticket} is not the number of a ticket")
        return int(str(named))

    async def _user(self, answer: ResponseToPush) -> Mapping[str, Any]:
        found: dict[str, Mapping[str, Any]] = {}

        async def find(by: By, value: str) -> list[str]:
            users = await self.api.users(by, value)
            found.update((str(each["id"]), each) for each in users)
            return [str(each["id"]) for each in users]

        return found[await match(self.options.match, answer.customer, find)]

    async def _fill_user(self, user: Mapping[str, Any], answer: ResponseToPush) -> None:
        held, newest = user["user_fields"], newest_field(self.options.fields)
        if missing := [name for name in self.options.fields if name not in held]:
            # Zendesk takes no notice of what it does not know.
            raise CrmMisconfigured(f"there is no user field {', '.join(missing)}")
        if self.options.fields and not (newest and is_late(answer, held[newest])):
            body = {"user": {"user_fields": filled(self.options.fields, answer)}}
            await self.api.call("PUT", f"/api/v2/users/{user['id']}", body)

    async def _tell_ticket(self, ticket: int, answer: ResponseToPush) -> None:
        mapping = {str(each): source for each, source in self.options.ticket_fields.items()}
        changes: dict[str, Any] = {}
        if mapping:
            changes["custom_fields"] = [
                {"id": int(field_id), "value": value} for field_id, value in filled(mapping, answer).items()
            ]
        if self.options.note is not None:
            text = note_of(self.options.note, answer, LONGEST_NOTE)
            signature = text.splitlines()[-1]
            told = (answer.tried or answer.remote_id) and await self.api.has_note(ticket, signature)
            if not told:
                changes["comment"] = {"body": text, "public": False}
        if changes:
            await self.api.call("PUT", f"/api/v2/tickets/{ticket}", {"ticket": changes})


def connect(options: ZendeskOptions, outgoing: GuardedHttp) -> Crm:
    """The account at this address."""
    own = headers(options.email, options.token.get_secret_value())
    return Zendesk(ZendeskApi(Api(outgoing, options.api_url.rstrip("/"), own)), options)


KIND = CrmKind(ZendeskOptions, connect)
