"""Intercom, as its API description says: contacts with attributes and notes, events, searches that lag behind."""

import re
from html import unescape
from itertools import count
from typing import Any
from uuid import UUID

from tests.crm.answers import COMMENT, EMAIL, PHONE
from tests.crm.vendor import TOKEN, Answered, Held, Request, Vendor

CONTACT = "63a07ddf05a32042dffac965"
FIELDS = {
    "nps_score": "score",
    "nps_band": "band",
    "nps_comment": "comment",
    "nps_answered_at": "answered_at",
}
KINDS = {"nps_score": "integer", "nps_band": "string", "nps_comment": "string", "nps_answered_at": "date"}
FITS = {"integer": int, "string": str, "date": int}
PAGE = 2  # notes on a page: few, so that there are several pages
Object = dict[str, Any]


class Intercom(Vendor):
    """Notes are never changed; an event that it knows already is passed over."""

    name = "intercom"
    customer_id = CONTACT

    def __init__(self) -> None:
        super().__init__()
        self.ids = count(1)
        self.contacts: dict[str, Object] = {}
        self.notes: list[Object] = []
        self.events: dict[tuple[str, str, int], Object] = {}
        self.attributes = {
            name: {"name": name, "data_type": kind, "custom": True, "api_writable": True}
            for name, kind in KINDS.items()
        }
        self.a_contact(CONTACT, email=EMAIL, phone=PHONE)

    def a_contact(self, contact: str, **known: str) -> None:
        created = 1_700_000_000 + len(self.contacts)
        self.contacts[contact] = {"id": contact, "created_at": created, "custom_attributes": {}, **known}

    @property
    def options(self) -> Object:
        note = "Score: {score}\nSaid: {comment}"
        return {"token": TOKEN, "api_url": self.url, "fields": FIELDS, "note": note}

    def authorised(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def answer(self, request: Request) -> Answered:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["contacts", "search"]:
                return self._search(request.json["query"])
            case "GET", ["data_attributes"]:
                return Answered(200, {"type": "list", "data": list(self.attributes.values())})
            case "POST", ["events"]:
                return self._track(request.json)
            case _, ["contacts", contact, *_] if contact not in self.contacts:
                return self.error(404)
            case "GET", ["contacts", contact]:
                return Answered(200, self.contacts[contact])
            case "PUT", ["contacts", contact]:
                return self._fill(self.contacts[contact], request.json["custom_attributes"])
            case _, ["contacts", contact, "notes"]:
                return self._notes_of(contact, request)
        return self.error(404)

    def held(self, survey_id: UUID) -> list[Held]:
        """The newest note of each wording: older ones say how it was then."""
        bodies = [each["body"] for each in self.notes if str(survey_id) in each["body"]]
        texts = [unescape(each.replace("<br>", "\n")) for each in bodies]
        found = [re.match(r"Score: (\d+)(?:\nSaid: (.*))?\n\nZeroten", each, re.DOTALL) for each in texts]
        told = [Held(int(each[1]), each[2]) for each in found if each]
        return [each for each in told if each == told[-1]]

    def lose_customer(self) -> None:
        del self.contacts[CONTACT]

    def lose_field(self) -> str:
        del self.attributes["nps_score"]
        return "nps_score"

    def error(self, status: int, words: str | None = None) -> Answered:
        codes = {401: "unauthorized", 404: "not_found", 409: "conflict", 429: "rate_limit_exceeded"}
        quoted = f"{PHONE}, {EMAIL}" + (f": {COMMENT} is not valid" if status in (400, 404, 409, 422) else "")
        error = {"code": codes.get(status, "parameter_invalid"), "message": words or quoted}
        return Answered(status, {"type": "error.list", "request_id": "r1", "errors": [error]})

    def _search(self, query: Object) -> Answered:
        found = [each for each in self.contacts.values() if each.get(query["field"]) == query["value"]]
        return Answered(200, {"type": "list", "data": found, "total_count": len(found)})

    def _track(self, event: Object) -> Answered:
        if event["id"] not in self.contacts:
            return self.error(404)
        self.events.setdefault((event["id"], event["event_name"], event["created_at"]), event)
        return Answered(202)

    def _fill(self, contact: Object, given: Object) -> Answered:
        for name, value in given.items():
            if name not in self.attributes:
                return self.error(400, f"Custom attribute '{name}' does not exist")
            if value is not None and not isinstance(value, FITS[str(self.attributes[name]["data_type"])]):
                return self.error(400, f"Custom attribute '{name}' cannot be {value}")
        contact["custom_attributes"] |= given
        return Answered(200, contact)

    def _notes_of(self, contact: str, request: Request) -> Answered:
        if request.method == "POST":
            note = {"id": str(next(self.ids)), "contact": contact, **request.json}
            self.notes.append(note)
            return Answered(200, note)
        own = [each for each in self.notes if each["contact"] == contact]
        start = int(request.query.get("starting_after", 0))
        page: Object = {"type": "list", "data": own[start : start + PAGE], "pages": {"type": "pages"}}
        if start + PAGE < len(own):
            page["pages"]["next"] = {"per_page": PAGE, "starting_after": str(start + PAGE)}
        return Answered(200, page)
