"""Airtable, with one base and one table."""

import re
from itertools import count
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from tests.crm.answers import COMMENT, EMAIL, PHONE
from tests.crm.vendor import TOKEN, Answered, Held, Request, Vendor

BASE, TABLE = "appNps0000000001", "NPS answers"
TYPES = {
    "survey_id": "singleLineText", "answered_at": "dateTime", "queue": "singleLineText", "agent": "singleLineText",
    "channel": "singleLineText", "language": "singleLineText", "score": "number", "band": "singleSelect",
    "comment": "multilineText", "callback": "checkbox", "interaction_id": "singleLineText", "crm_id": "singleLineText",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        self.answered = Answered(status, {"error": {"type": kind, "message": message}})


class AirtableServer(Vendor):
    """Takes ten records or none of them. Values are held against the fields' types: nothing is cast."""

    name = "airtable"
    customer_id = "0035g00000XyZ"
    has_records = False

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, Any]] = {
            name: {"id": f"fld{number:014}", "name": name, "type": type_}
            for number, (name, type_) in enumerate(TYPES.items())
        }
        self.set_choices("promoter", "passive", "detractor")
        self.records: dict[str, dict[str, Any]] = {}
        self.scopes = {"data.records:read", "data.records:write", "schema.bases:read"}
        self._numbers = count()

    def set_choices(self, *names: str) -> None:
        """The choices of the band."""
        self.fields["band"]["options"] = {"choices": [{"id": f"sel{name}", "name": name} for name in names]}

    @property
    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "base": BASE, "table": TABLE, "api_url": self.url}

    def authorised(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def answer(self, request: Request) -> Answered:
        try:
            match request.method, request.path.split("/")[2:]:
                case "GET", ["meta", "bases", base, "tables"]:
                    return self._schema(base)
                case "PATCH", [base, table] if base == BASE and unquote(table) == TABLE:
                    return self._upsert(request.json)
        except Refused as refused:
            return refused.answered
        return Answered(404, {"error": "NOT_FOUND"})

    def error(self, status: int) -> Answered:
        if status == 429:
            return Answered(
                429, {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded."}]}
            )
        quoted = f'"{COMMENT}"' if status == 422 else "the value"
        words = f'Field "comment" cannot accept {quoted} of {PHONE} / {EMAIL}'
        return Answered(status, {"error": {"type": f"ERROR_{status}", "message": words}})

    def held(self, survey_id: UUID) -> list[Held]:
        return [
            Held(each["score"], each.get("comment"))
            for each in self.records.values()
            if each.get("survey_id") == str(survey_id)
        ]

    def lose_customer(self) -> None:
        raise NotImplementedError("a table has none")

    def lose_field(self) -> str:
        del self.fields["comment"]
        return "comment"

    def _schema(self, base: str) -> Answered:
        if "schema.bases:read" not in self.scopes or base != BASE:
            raise Refused(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "Invalid permissions, or not found.")
        table = {"id": "tblNps0000000001", "name": TABLE, "fields": list(self.fields.values())}
        return Answered(200, {"tables": [{"id": "tblOther", "name": "Other", "fields": []}, table]})

    def _upsert(self, body: dict[str, Any]) -> Answered:
        (key,) = body["performUpsert"]["fieldsToMergeOn"]
        wanted = [self._checked(each["fields"]) for each in body["records"]]
        places = [self._place(key, each.get(key)) for each in wanted]
        created = []
        for place, fields in zip(places, wanted, strict=True):
            if place not in self.records:
                created.append(place)
            held = self.records.get(place, {}) | fields
            self.records[place] = {
                name: value for name, value in held.items() if value is not None and value is not False
            }
        said = [{"id": place, "createdTime": "", "fields": self.records[place]} for place in places]
        updated = [place for place in places if place not in created]
        return Answered(200, {"records": said, "createdRecords": created, "updatedRecords": updated})

    def _place(self, key: str, value: Any) -> str:
        if value is None:
            raise Refused(422, "INVALID_VALUE_FOR_COLUMN", "A field to merge on is empty")
        found = [place for place, fields in self.records.items() if fields.get(key) == value]
        if len(found) > 1:
            raise Refused(422, "INVALID_REQUEST", "Cannot update more than one record per upsert")
        return found[0] if found else f"rec{next(self._numbers):014}"

    def _checked(self, fields: dict[str, Any]) -> dict[str, Any]:
        for name, value in fields.items():
            if name not in self.fields:
                raise Refused(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
            if value is not None and not self._fits(self.fields[name], value):
                raise Refused(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{name}" cannot accept "{value}"')
        return fields

    @staticmethod
    def _fits(known: dict[str, Any], value: Any) -> bool:
        match known["type"]:
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "checkbox":
                return isinstance(value, bool)
            case "dateTime":
                return isinstance(value, str) and TIME.fullmatch(value) is not None
            case "singleSelect":
                return value in [each["name"] for each in known["options"]["choices"]]
            case _:
                return isinstance(value, str)
