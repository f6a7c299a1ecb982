"""ActiveCampaign, with one account."""

from itertools import count
from typing import Any
from uuid import UUID

from tests.crm.answers import EMAIL, PHONE
from tests.crm.marketing import CUSTOMERS_OWN_TAG, MarketingTool
from tests.crm.vendor import TOKEN, Answered, Held, Request

TYPES = {
    "NPS_SCORE": "text",
    "NPS_BAND": "text",
    "NPS_COMMENT": "textarea",
    "NPS_ANSWERED_AT": "text",
    "NPS_SURVEY": "hidden",
}
OTHER_FIELDS = 120  # more than a page
BANDS = ("nps_promoter", "nps_passive", "nps_detractor")


class ActiveCampaignServer(MarketingTool):
    """Passes over the values of fields it does not know. All of its ids are numbers, written as strings."""

    name = "activecampaign"
    keeps_all = False
    customer_id = "113"

    def __init__(self) -> None:
        super().__init__()
        self._ids = map(str, count(1000))
        self.fields = {str(number): (f"OTHER_{number}", "text") for number in range(1, OTHER_FIELDS)}
        self.fields |= {next(self._ids): each for each in TYPES.items()}
        self.tags = {next(self._ids): ("nps_promoter", "template")}
        self.tags |= {next(self._ids): (name, "contact") for name in (*BANDS, CUSTOMERS_OWN_TAG)}
        self.people: dict[str, dict[str, Any]] = {}
        self.tagged: dict[str, tuple[str, str]] = {}
        self.add_contact(self.customer_id, EMAIL, PHONE)
        self._tag(self.customer_id, self._tag_id(CUSTOMERS_OWN_TAG))

    def add_contact(self, contact_id: str, email: str, phone: str) -> None:
        """A contact with a value in a field that is not ours."""
        self.people[contact_id] = {
            "id": contact_id,
            "email": email,
            "phone": phone,
            "values": {"1": "theirs"},
        }

    @property
    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "api_url": self.url}

    @property
    def tags_of_customer(self) -> set[str]:
        return {self.tags[tag][0] for contact, tag in self.tagged.values() if contact == self.customer_id}

    @property
    def contacts(self) -> int:
        return len(self.people)

    def take_away_tags(self) -> None:
        self.tags.clear()
        self.tagged.clear()

    def make_dates_of(self, name: str) -> None:
        self.fields[self._field_id(name)] = (name, "date")

    def _field_id(self, name: str) -> str:
        return next(each for each, (perstag, _) in self.fields.items() if perstag == name)

    def _tag_id(self, name: str) -> str:
        return next(each for each, kind in self.tags.items() if kind == (name, "contact"))

    def _tag(self, contact_id: str, tag_id: str) -> str:
        known = [each for each, pair in self.tagged.items() if pair == (contact_id, tag_id)]
        tagged_id = known[0] if known else next(self._ids)
        self.tagged[tagged_id] = (contact_id, tag_id)
        return tagged_id

    def authorised(self, request: Request) -> bool:
        return request.headers.get("api-token") == TOKEN

    def answer(self, request: Request) -> Answered:
        match request.method, request.path.removeprefix("/api/3/").split("/"):
            case "GET", ["fields"]:
                shown = [
                    {"id": each, "perstag": name, "type": type_}
                    for each, (name, type_) in self.fields.items()
                ]
                return _page(request, "fields", shown)
            case "GET", ["contacts"]:
                return _page(request, "contacts", self._search(request))
            case method, ["contacts", contact_id, *rest]:
                if contact_id not in self.people:
                    return Answered(404, {"message": f"No Result found for Subscriber with id {contact_id}"})
                return self._about(method, self.people[contact_id], rest, request)
            case method, ["contactTags", *rest]:
                return self._tagging(method, rest, request)
            case method, ["tags"]:
                return self._tags(method, request)
        return self.error(404)

    def _search(self, request: Request) -> list[dict[str, Any]]:
        email, phone = request.query.get("email"), request.query.get("phone")
        found = [
            each
            for each in self.people.values()
            if (email is None or each["email"].lower() == email.lower())
            and (phone is None or each["phone"].startswith(phone))
        ]
        return sorted(
            found, key=lambda each: int(each["id"]), reverse=request.query.get("orders[id]") == "desc"
        )

    def _about(self, method: str, contact: dict[str, Any], rest: list[str], request: Request) -> Answered:
        match method, rest:
            case "GET", []:
                values = [{"field": each, "value": value} for each, value in contact["values"].items()]
                return Answered(200, {"contact": contact, "fieldValues": values})
            case "PUT", []:
                given = {each["field"]: each["value"] for each in request.json["contact"]["fieldValues"]}
                contact["values"] |= {each: value for each, value in given.items() if each in self.fields}
                return Answered(200, {"contact": contact})
            case "GET", ["contactTags"]:
                shown = [
                    {"id": each, "contact": owner, "tag": tag}
                    for each, (owner, tag) in self.tagged.items()
                    if owner == contact["id"]
                ]
                return _page(request, "contactTags", shown)
        return self.error(405)

    def _tagging(self, method: str, rest: list[str], request: Request) -> Answered:
        match method, rest:
            case "POST", []:
                pair = request.json["contactTag"]
                if self.tags.get(pair["tag"], ("", ""))[1] != "contact":
                    return self.error(404)
                return Answered(201, {"contactTag": {"id": self._tag(pair["contact"], pair["tag"]), **pair}})
            case "DELETE", [tagged_id] if tagged_id in self.tagged:
                del self.tagged[tagged_id]
                return Answered(200, {})
        return self.error(404)

    def _tags(self, method: str, request: Request) -> Answered:
        if method == "POST":
            tag, tag_id = request.json["tag"], next(self._ids)
            self.tags[tag_id] = (tag["tag"], tag["tagType"])
            return Answered(201, {"tag": {"id": tag_id, **tag}})
        wanted = request.query["filters[search][eq]"]
        shown = [
            {"id": each, "tag": name, "tagType": kind}
            for each, (name, kind) in self.tags.items()
            if name == wanted
        ]
        return _page(request, "tags", shown)

    def error(self, status: int) -> Answered:
        """Who is not known is forbidden."""
        status = 403 if status == 401 else status
        words = {"title": f"{EMAIL} / {PHONE} was not taken", "detail": "", "code": "wrong"}
        return Answered(status, {"errors": [words]})

    def held(self, survey_id: UUID) -> list[Held]:
        values = self.people[self.customer_id]["values"]
        if values.get(self._field_id("NPS_SURVEY")) != str(survey_id):
            return []
        score, comment = (values[self._field_id(name)] for name in ("NPS_SCORE", "NPS_COMMENT"))
        return [Held(int(score), comment or None)]

    def lose_customer(self) -> None:
        del self.people[self.customer_id]

    def lose_field(self) -> str:
        del self.fields[self._field_id("NPS_COMMENT")]
        return "NPS_COMMENT"


def _page(request: Request, key: str, found: list[dict[str, Any]]) -> Answered:
    offset = int(request.query.get("offset", 0))
    page = found[offset : offset + int(request.query.get("limit", 20))]
    return Answered(200, {key: page, "meta": {"total": str(len(found))}})
