"""Zendesk: the score on the user and, where the interaction names a ticket, ticket fields and an internal note.

A handful of requests need no client library; Zenpy waits out rate limits inside the call and holds a thread for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, SecretStr

from app.crm.api import Api
from app.crm.matching import match
from app.crm.options import By, Matching, Options, Source, Template, filled, values
from app.crm.records import DEFAULT_NOTE, is_late, newest_field, note_of
from app.crm.zendesk_api import ZendeskApi, headers
from app.errors import CrmMisconfigured, NoRecord
from app.ports import Answer, Crm
from app.web.outgoing import Outgoing

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

    def connect(self, outgoing: Outgoing) -> Crm:
        """The account at this address."""
        own = headers(self.email, self.token.get_secret_value())
        return Zendesk(ZendeskApi(Api(outgoing, self.api_url.rstrip("/"), own)), self)


@dataclass(frozen=True)
class Zendesk:
    """Notes there are never changed: what has grown is told in a further one."""

    api: ZendeskApi
    options: ZendeskOptions = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """Needs an administrator's token."""
        ticket_fields = {str(each): source for each, source in self.options.ticket_fields.items()}
        return [
            *await self.api.misfits("user_fields", "key", "user field", self.options.fields),
            *await self.api.misfits("ticket_fields", "id", "ticket field", ticket_fields),
        ]

    async def push(self, answers: Sequence[Answer]) -> Sequence[str]:
        """One after the other."""
        return [await self._push(each) for each in answers]

    async def _push(self, answer: Answer) -> str:
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

    def _ticket(self, answer: Answer) -> int | None:
        named = values(answer).get(self.options.ticket) if self.options.ticket else None
        if named in (None, ""):
            return None
        if not str(named).isdecimal():
            raise NoRecord(f"{self.options.ticket} is not the number of a ticket")
        return int(str(named))

    async def _user(self, answer: Answer) -> Mapping[str, Any]:
        found: dict[str, Mapping[str, Any]] = {}

        async def find(by: By, value: str) -> list[str]:
            users = await self.api.users(by, value)
            found.update((str(each["id"]), each) for each in users)
            return [str(each["id"]) for each in users]

        return found[await match(self.options.match, answer.customer, find)]

    async def _fill_user(self, user: Mapping[str, Any], answer: Answer) -> None:
        held, newest = user["user_fields"], newest_field(self.options.fields)
        if missing := [name for name in self.options.fields if name not in held]:
            # Zendesk takes no notice of what it does not know.
            raise CrmMisconfigured(f"there is no user field {', '.join(missing)}")
        if self.options.fields and not (newest and is_late(answer, held[newest])):
            body = {"user": {"user_fields": filled(self.options.fields, answer)}}
            await self.api.call("PUT", f"/api/v2/users/{user['id']}", body)

    async def _tell_ticket(self, ticket: int, answer: Answer) -> None:
        mapping = {str(each): source for each, source in self.options.ticket_fields.items()}
        changes: dict[str, Any] = {}
        if mapping:
            changes["custom_fields"] = [
                {"id": int(each), "value": value} for each, value in filled(mapping, answer).items()
            ]
        if self.options.note is not None:
            text = note_of(self.options.note, answer, LONGEST_NOTE)
            signature = text.splitlines()[-1]
            told = (answer.tried or answer.remote_id) and await self.api.is_told(ticket, signature)
            if not told:
                changes["comment"] = {"body": text, "public": False}
        if changes:
            await self.api.call("PUT", f"/api/v2/tickets/{ticket}", {"ticket": changes})
