"""Mailchimp, with one audience."""

from base64 import b64encode
from hashlib import md5
from typing import Any
from uuid import UUID

from tests.crm.answers import EMAIL, PHONE
from tests.crm.marketing import CUSTOMERS_OWN_TAG, MarketingTool
from tests.crm.vendor import TOKEN, Answered, Held, Request

AUDIENCE = "a1b2c3d4e5"
LONGEST = 255


def hashed(email: str) -> str:
    """What Mailchimp knows an address by."""
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class MailchimpServer(MarketingTool):
    """Passes over merge fields it does not know, and keeps contacts that were deleted as archived ones."""

    name = "mailchimp"
    keeps_all = False
    customer_id = "5f1c2a9be04d4c0d9a6a7e1f6f4a0c11"

    def __init__(self) -> None:
        super().__init__()
        self.merge_fields = {
            "FNAME": "text",
            "NPSSCORE": "number",
            "NPSBAND": "text",
            "NPSCOMMENT": "text",
            "NPSAT": "text",
            "NPSSURVEY": "text",
        }
        self.members: dict[str, dict[str, Any]] = {}
        self.add_member(self.customer_id, EMAIL.title(), "subscribed", [CUSTOMERS_OWN_TAG])

    def add_member(self, contact_id: str, email: str, status: str, tags: list[str]) -> None:
        """A contact with a first name."""
        self.members[contact_id] = {
            "id": hashed(email),
            "contact_id": contact_id,
            "email_address": email,
            "status": status,
            "merge_fields": {"FNAME": "Ewa"},
            "tags": tags,
        }

    @property
    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "audience": AUDIENCE, "api_url": f"{self.url}/3.0"}

    @property
    def tags_of_customer(self) -> set[str]:
        return set(self.members[self.customer_id]["tags"])

    @property
    def contacts(self) -> int:
        return len(self.members)

    def take_away_tags(self) -> None:
        self.members[self.customer_id]["tags"] = []

    def make_dates_of(self, name: str) -> None:
        self.merge_fields[name] = "date"

    def authorised(self, request: Request) -> bool:
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        return scheme == "Basic" and said == b64encode(f"zeroten:{TOKEN}".encode()).decode()

    def answer(self, request: Request) -> Answered:
        match request.method, request.path.removeprefix(f"/3.0/lists/{AUDIENCE}/").split("/"):
            case "GET", ["merge-fields"]:
                fields = [{"tag": name, "type": type_} for name, type_ in self.merge_fields.items()]
                return Answered(200, {"merge_fields": fields[: int(request.query.get("count", 10))]})
            case method, ["members", key, *rest] if member := self._member(key):
                return self._about(method, member, rest, request)
        return self.error(404)

    def _member(self, key: str) -> dict[str, Any] | None:
        names = ("id", "contact_id", "email_address")
        return next((each for each in self.members.values() if key in (each[name] for name in names)), None)

    def _about(self, method: str, member: dict[str, Any], rest: list[str], request: Request) -> Answered:
        match method, rest:
            case "GET", []:
                wanted = request.query["fields"].split(",")
                return Answered(
                    200, {name: each for name, each in self._shown(member).items() if name in wanted}
                )
            case "PATCH", []:
                return self._change(member, request.json["merge_fields"])
            case "POST", ["tags"]:
                for tag in request.json["tags"]:
                    member["tags"] = [each for each in member["tags"] if each != tag["name"]]
                    member["tags"] += [tag["name"]] if tag["status"] == "active" else []
                return Answered(204)
        return self.error(405)

    def _shown(self, member: dict[str, Any]) -> dict[str, Any]:
        held = member["merge_fields"]
        tags = [{"id": number, "name": name} for number, name in enumerate(member["tags"])]
        return member | {
            "merge_fields": {name: held.get(name, "") for name in self.merge_fields},
            "tags": tags,
        }

    def _change(self, member: dict[str, Any], given: dict[str, Any]) -> Answered:
        for name, value in given.items():
            is_number = isinstance(value, int | float) or value == ""
            if (self.merge_fields.get(name) == "number" and not is_number) or len(
                str(value).encode()
            ) > LONGEST:
                return self.error(400)
        member["merge_fields"] |= {name: each for name, each in given.items() if name in self.merge_fields}
        return Answered(200, self._shown(member))

    def error(self, status: int) -> Answered:
        words = {
            401: "API Key Invalid",
            403: "Forbidden",
            404: "Resource Not Found",
            429: "Too Many Requests",
        }
        return Answered(
            status,
            {
                "type": "https://mailchimp.com/developer/marketing/docs/errors/",
                "title": words.get(status, "Invalid Resource"),
                "status": status,
                "detail": f"{EMAIL} ({PHONE}) cannot be changed like this.",
                "instance": "f4b1c8a0-7a52-4bb1-93e6-1d9c4f5e6a70",
            },
        )

    def held(self, survey_id: UUID) -> list[Held]:
        fields = self.members[self.customer_id]["merge_fields"]
        if fields.get("NPSSURVEY") != str(survey_id):
            return []
        return [Held(int(fields["NPSSCORE"]), fields["NPSCOMMENT"] or None)]

    def lose_customer(self) -> None:
        del self.members[self.customer_id]

    def lose_field(self) -> str:
        del self.merge_fields["NPSCOMMENT"]
        return "NPSCOMMENT"
