"""Zendesk, as its API reference describes it: users with fields of their own, tickets with comments."""

from base64 import b64encode
from typing import Any
from uuid import UUID

from tests.crm.answers import COMMENT, EMAIL, PHONE
from tests.crm.vendor import TOKEN, Answered, Held, Request, Vendor

USER = 35436
TICKET = 8841
AGENT = "supervisor@zendesk.example"
FIELDS = {
    "nps_score": "score", "nps_band": "band", "nps_comment": "comment", "nps_at": "answered_at",
    "nps_survey": "survey_id",
}  # fmt: skip
KINDS = {
    "nps_score": "integer",
    "nps_band": "dropdown",
    "nps_comment": "textarea",
    "nps_at": "text",
    "nps_survey": "text",
}
PAGE = 2  # fields on a page: few, so that there are several pages
Object = dict[str, Any]


class Zendesk(Vendor):
    """Fields that it does not know it passes over in silence; comments are never changed."""

    name = "zendesk"
    keeps_all = False  # without a ticket there is only the user
    customer_id = str(USER)

    def __init__(self) -> None:
        super().__init__()
        self.exists = True
        self.users: dict[int, Object] = {}
        self.tickets: dict[int, Object] = {TICKET: {"status": "solved", "custom_fields": {}, "comments": []}}
        self.user_fields = [self._field(key, number) for number, key in enumerate(KINDS, 1)]
        self.ticket_fields = [self._field("nps_score", 360001)]
        self.a_user(USER, email=EMAIL, phone=PHONE)

    def a_user(self, user: int, **known: Any) -> None:
        created = f"2026-01-{len(self.users) + 1:02}T00:00:00Z"
        fields = {each["key"]: None for each in self.user_fields}
        self.users[user] = {"id": user, "active": True, "created_at": created, "user_fields": fields, **known}

    def _field(self, key: str, number: int) -> Object:
        bands = [{"name": each.title(), "value": each} for each in ("promoter", "passive", "detractor")]
        choice = {"custom_field_options": bands} if KINDS[key] == "dropdown" else {}
        return {"id": number, "key": key, "type": KINDS[key], "active": True, **choice}

    @property
    def options(self) -> Object:
        note = "Score: {score}\nSaid: {comment}"
        return {"api_url": self.url, "email": AGENT, "token": TOKEN, "fields": FIELDS, "note": note}

    def authorised(self, request: Request) -> bool:
        basic = b64encode(f"{AGENT}/token:{TOKEN}".encode()).decode()
        return request.headers.get("authorization") in (f"Basic {basic}", f"Bearer {TOKEN}")

    def answer(self, request: Request) -> Answered:
        if not self.exists:
            return Answered(404, headers={"Content-Type": "text/html"})
        match request.method, request.path.strip("/").split("/")[2:]:
            case "GET", ["users", "search"]:
                return Answered(200, {"users": self._found(request.query["query"])})
            case "GET", ["users", user] if int(user) in self.users:
                return Answered(200, {"user": self.users[int(user)]})
            case "PUT", ["users", user] if int(user) in self.users:
                return self._fill(self.users[int(user)], request.json["user"]["user_fields"])
            case "PUT", ["tickets", ticket] if int(ticket) in self.tickets:
                return self._change(self.tickets[int(ticket)], request.json["ticket"])
            case "GET", ["tickets", ticket, "comments"] if int(ticket) in self.tickets:
                return Answered(200, {"comments": self.tickets[int(ticket)]["comments"][::-1]})
            case "GET", ["user_fields" | "ticket_fields" as which]:
                return self._page(which, request)
        return self.error(404)

    def held(self, survey_id: UUID) -> list[Held]:
        fields = [each["user_fields"] for each in self.users.values() if each["active"]]
        return [
            Held(each["nps_score"], each["nps_comment"])
            for each in fields
            if each["nps_survey"] == str(survey_id)
        ]

    def lose_customer(self) -> None:
        self.users[USER]["active"] = False

    def lose_field(self) -> str:
        self.user_fields = [each for each in self.user_fields if each["key"] != "nps_score"]
        for each in self.users.values():
            each["user_fields"].pop("nps_score", None)
        return "nps_score"

    def error(self, status: int) -> Answered:
        names = {401: "Couldn't authenticate you", 404: "RecordNotFound", 422: "RecordInvalid"}
        words = f"{PHONE}, {EMAIL}" + (f": {COMMENT} is too long" if status in (400, 409, 422) else "")
        return Answered(status, {"error": names.get(status, "TooBad"), "description": words})

    def _found(self, query: str) -> list[Object]:
        name, _, value = query.partition(":")
        return [each for each in self.users.values() if value.strip('"') in str(each.get(name))]

    def _fill(self, user: Object, given: Object) -> Answered:
        known = {each["key"]: each for each in self.user_fields}
        for key, value in given.items():
            field = known.get(key)
            if field and field["type"] == "integer" and not isinstance(value, int | None):
                return Answered(
                    422, {"error": "RecordInvalid", "details": {key: [{"description": str(value)}]}}
                )
            if field:
                user["user_fields"][key] = value
        return Answered(200, {"user": user})

    def _change(self, ticket: Object, changes: Object) -> Answered:
        if ticket["status"] == "closed":
            reason = [{"description": "Status: closed prevents ticket update"}]
            return Answered(422, {"error": "RecordInvalid", "details": {"status": reason}})
        ticket["custom_fields"] |= {each["id"]: each["value"] for each in changes.get("custom_fields", [])}
        if "comment" in changes:
            ticket["comments"].append(changes["comment"])
        return Answered(200, {"ticket": ticket})

    def _page(self, which: str, request: Request) -> Answered:
        fields, start = getattr(self, which), int(request.query.get("page[after]", 0))
        more = start + PAGE < len(fields)
        meta = {"has_more": more, "after_cursor": str(start + PAGE) if more else None}
        return Answered(200, {which: fields[start : start + PAGE], "meta": meta})
