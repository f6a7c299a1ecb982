"""GetResponse, with one account."""

from itertools import count
from typing import Any
from uuid import UUID

from tests.crm.answers import EMAIL, PHONE
from tests.crm.marketing import CUSTOMERS_OWN_TAG, MarketingTool
from tests.crm.vendor import TOKEN, Answered, Held, Request

FIELDS = {
    "city": ("text", "string"),
    "nps_score": ("text", "number"),
    "nps_band": ("text", "string"),
    "nps_comment": ("textarea", "string"),
    "nps_answered_at": ("text", "string"),
    "nps_survey": ("text", "string"),
}
BANDS = ("nps_promoter", "nps_passive", "nps_detractor")
CODES = {400: 1000, 401: 1014, 404: 1013, 409: 1008, 429: 1015}


class GetResponseServer(MarketingTool):
    """What is written to a contact takes the place of all its tags and all its custom fields."""

    name = "getresponse"
    keeps_all = False
    customer_id = "VsSPm"

    def __init__(self) -> None:
        super().__init__()
        self._ids = (f"x{number}" for number in count(1))
        self.fields = {next(self._ids): (name, *kind) for name, kind in FIELDS.items()}
        self.tags = {next(self._ids): name for name in (*BANDS, CUSTOMERS_OWN_TAG)}
        self.people: dict[str, dict[str, Any]] = {}
        self.add_contact(self.customer_id, EMAIL, "news", "2020-01-01T10:00:00+0000")
        self.people[self.customer_id]["tags"] = [self._tag_id(CUSTOMERS_OWN_TAG)]

    def add_contact(self, contact_id: str, email: str, list_id: str, created: str) -> None:
        """A contact in a list, with a value in a field that is not ours."""
        self.people[contact_id] = {
            "contactId": contact_id,
            "email": email,
            "campaign": {"campaignId": list_id},
            "createdOn": created,
            "values": {self.field_id("city"): ["Gdańsk"]},
            "tags": [],
        }

    @property
    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "api_url": f"{self.url}/v3"}

    @property
    def tags_of_customer(self) -> set[str]:
        return {self.tags[each] for each in self.people[self.customer_id]["tags"]}

    @property
    def contacts(self) -> int:
        return len(self.people)

    def take_away_tags(self) -> None:
        self.tags.clear()
        self.people[self.customer_id]["tags"] = []

    def make_dates_of(self, name: str) -> None:
        self.fields[self.field_id(name)] = (name, "text", "date")

    def field_id(self, name: str) -> str:
        """The id of a field."""
        return next(each for each, (known, *_) in self.fields.items() if known == name)

    def _tag_id(self, name: str) -> str:
        return next(each for each, known in self.tags.items() if known == name)

    def authorised(self, request: Request) -> bool:
        return request.headers.get("x-auth-token") == f"api-key {TOKEN}"

    def answer(self, request: Request) -> Answered:
        match request.method, request.path.removeprefix("/v3/").split("/"):
            case "GET", ["custom-fields"]:
                shown = [
                    {"customFieldId": each, "name": name, "fieldType": format_, "valueType": type_}
                    for each, (name, format_, type_) in self.fields.items()
                ]
                return _page(request, shown)
            case "GET", ["tags"]:
                wanted = request.query.get("query[name]", "")
                shown = [{"tagId": each, "name": name} for each, name in self.tags.items() if wanted in name]
                return _page(request, shown)
            case "POST", ["tags"]:
                return self._make_tag(request.json["name"])
            case "GET", ["contacts"]:
                return _page(request, self._search(request))
            case method, ["contacts", contact_id] if contact_id in self.people:
                return self._about(method, self.people[contact_id], request)
        return self.error(404)

    def _make_tag(self, name: str) -> Answered:
        if name in self.tags.values():
            return self.error(409)
        tag_id = next(self._ids)
        self.tags[tag_id] = name
        return Answered(201, {"tagId": tag_id, "name": name})

    def _search(self, request: Request) -> list[dict[str, Any]]:
        """An address is found by a part of it."""
        email, list_id = request.query.get("query[email]", ""), request.query.get("query[campaignId]")
        found = [
            {name: each[name] for name in ("contactId", "email", "campaign", "createdOn")}
            for each in self.people.values()
            if email.lower() in each["email"].lower() and list_id in (None, each["campaign"]["campaignId"])
        ]
        newest = request.query.get("sort[createdOn]", "").lower() == "desc"
        return sorted(found, key=lambda each: str(each["createdOn"]), reverse=newest)

    def _about(self, method: str, contact: dict[str, Any], request: Request) -> Answered:
        if method == "POST":
            given = {each["customFieldId"]: each["value"] for each in request.json["customFieldValues"]}
            tags = [each["tagId"] for each in request.json["tags"]]
            if not given.keys() <= self.fields.keys() or not set(tags) <= self.tags.keys():
                return self.error(400, code=1001)
            if any(
                self.fields[each][2] == "number" and not value[0].isdecimal() for each, value in given.items()
            ):
                return self.error(400)
            contact |= {"values": given, "tags": tags}
        values = [
            {"customFieldId": each, "name": self.fields[each][0], "value": value, "values": value}
            for each, value in contact["values"].items()
        ]
        tags_shown = [{"tagId": each, "name": self.tags[each]} for each in contact["tags"]]
        return Answered(200, contact | {"customFieldValues": values, "tags": tags_shown})

    def error(self, status: int, code: int | None = None) -> Answered:
        """Every error has a number of its own."""
        body = {
            "httpStatus": status,
            "code": code or CODES.get(status, 1),
            "codeDescription": "General error of validation process",
            "message": f"{EMAIL} / {PHONE} was not taken",
            "moreInfo": "https://apidocs.getresponse.com/v3/errors",
            "context": {},
            "uuid": "1b0cc6a6-2a0d-4f2c-8a3b-2f8f0d4b1c55",
        }
        return Answered(status, body)

    def held(self, survey_id: UUID) -> list[Held]:
        values = self.people[self.customer_id]["values"]
        if values.get(self.field_id("nps_survey")) != [str(survey_id)]:
            return []
        (score,), comments = (
            values[self.field_id("nps_score")],
            values.get(self.field_id("nps_comment"), [None]),
        )
        return [Held(int(score), comments[0])]

    def lose_customer(self) -> None:
        del self.people[self.customer_id]

    def lose_field(self) -> str:
        del self.fields[self.field_id("nps_comment")]
        return "nps_comment"


def _page(request: Request, found: list[dict[str, Any]]) -> Answered:
    size, page = int(request.query.get("perPage", 100)), int(request.query.get("page", 1))
    return Answered(200, found[(page - 1) * size : page * size])
