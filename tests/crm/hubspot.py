"""HubSpot, as its API reference describes it: contacts, notes, an object of one's own, properties, associations."""

import json
import re
from html import unescape
from itertools import count
from typing import Any
from uuid import UUID

from tests.crm.answers import COMMENT, EMAIL, PHONE
from tests.crm.vendor import TOKEN, Answered, Held, Request, Vendor

CONTACT = "151"
OWN = "p_nps_response"
NOTE = "Score: {score}\nSaid: {comment}"
FIELDS = {"nps_score": "score", "nps_band": "band", "nps_comment": "comment", "nps_at": "answered_at"}
PAGE = 2  # associations on a page: few, so that there are several pages
Object = dict[str, Any]


def a_property(name: str, kind: str, **more: Any) -> Object:
    return {
        "name": name, "label": name, "type": kind, "fieldType": kind, "groupName": "nps", "description": "",
        "options": [], **more,
    }  # fmt: skip


def options(*values: str) -> list[Object]:
    return [{"label": each.title(), "value": each, "hidden": False} for each in values]


class Hubspot(Vendor):
    """What was written a moment ago is not found by a search, as there; it is found by its id."""

    name = "hubspot"
    customer_id = CONTACT

    def __init__(self) -> None:
        super().__init__()
        self.ids = count(9001)
        self.contacts: dict[str, Object] = {}
        self.notes: dict[str, Object] = {}
        self.own: dict[str, Object] = {}
        self.associated: dict[str, set[str]] = {}
        self.a_contact(CONTACT, email=EMAIL, phone=PHONE)
        self.properties = {
            "contacts": {
                each["name"]: each
                for each in (
                    a_property("nps_score", "number"),
                    a_property(
                        "nps_band", "enumeration", options=options("promoter", "passive", "detractor")
                    ),
                    a_property("nps_comment", "string"),
                    a_property("nps_at", "datetime"),
                    a_property("hs_object_id", "number", modificationMetadata={"readOnlyValue": True}),
                )
            },
            OWN: {name: a_property(name, kind) for name, kind in (("survey", "string"), ("score", "number"))},
        }

    def a_contact(self, contact: str, **properties: str) -> None:
        created = f"2026-01-{len(self.contacts) + 1:02}T00:00:00Z"
        self.contacts[contact] = {"id": contact, "createdAt": created, "properties": dict(properties)}
        self.associated[contact] = set()

    @property
    def options(self) -> Object:
        return {"token": TOKEN, "api_url": self.url, "fields": FIELDS, "note": NOTE}

    def authorised(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def writes(self, request: Request) -> bool:
        return super().writes(request) and not request.path.endswith("/batch/read")

    def answer(self, request: Request) -> Answered:
        match request.path.strip("/").split("/")[2:]:
            case ["objects", "contacts", _, "associations", "notes"] | ["objects", _, _, "associations", *_]:
                return self._association(request)
            case ["objects", "contacts", *rest]:
                return self._contact(request, *rest)
            case ["objects", "notes", *rest]:
                return self._note(request, *rest)
            case ["objects", kind, "batch", "upsert"]:
                return self._upsert(kind, request.json["inputs"])
            case ["properties", kind, "batch", "read"]:
                return self._describe(kind, [each["name"] for each in request.json["inputs"]])
        return self.error(404)

    def _contact(self, request: Request, contact: str = "") -> Answered:
        match request.method, contact:
            case "POST", "search":
                return self._search(request.json)
            case "GET", "":
                return Answered(200, {"results": list(self.contacts.values())[:1]})
            case "GET", _ if contact in self.contacts:
                return Answered(200, self.contacts[contact])
            case "PATCH", _:
                return self._change(self.contacts, "contacts", contact, request.json)
        return self.error(404)

    def _note(self, request: Request, *rest: str) -> Answered:
        match request.method, rest:
            case "POST", ():
                return self._new_note(request.json)
            case "POST", ("batch", "read"):
                ids = [each["id"] for each in request.json["inputs"]]
                return Answered(200, {"results": [self.notes[each] for each in ids]})
            case "PATCH", (note,):
                return self._change(self.notes, "notes", note, request.json)
        return self.error(404)

    def _association(self, request: Request) -> Answered:
        match request.path.strip("/").split("/")[3:]:
            case [_, contact, _, "notes"]:
                return self._notes_of(contact, int(request.query.get("after", 0)))
            case [_, record, _, "default", "contacts", contact]:
                self.associated[contact].add(record)
                return Answered(200, {"status": "COMPLETE", "results": []})
        return self.error(404)

    def held(self, survey_id: UUID) -> list[Held]:
        bodies = [each["properties"]["hs_note_body"] for each in self.notes.values()]
        texts = [unescape(each.replace("<br>", "\n")) for each in bodies if str(survey_id) in each]
        found = [re.match(r"Score: (\d+)(?:\nSaid: (.*))?\n\nZeroten", each, re.DOTALL) for each in texts]
        return [Held(int(each[1]), each[2]) for each in found if each]

    def lose_customer(self) -> None:
        del self.contacts[CONTACT]

    def lose_field(self) -> str:
        del self.properties["contacts"]["nps_score"]
        return "nps_score"

    def error(self, status: int) -> Answered:
        categories = {
            401: "INVALID_AUTHENTICATION",
            404: "OBJECT_NOT_FOUND",
            429: "RATE_LIMITS",
            409: "CONFLICT",
        }
        words = f"{PHONE}, {EMAIL}" + (f": {COMMENT} is not valid" if status in (400, 409, 422) else "")
        category = categories.get(status, "VALIDATION_ERROR")
        return Answered(status, {"status": "error", "message": words, "category": category})

    def _change(self, objects: dict[str, Object], kind: str, key: str, body: Object) -> Answered:
        if key not in objects:
            return self.error(404)
        if kind in self.properties and (wrong := self._wrong(kind, body["properties"])):
            return wrong
        objects[key]["properties"] |= body["properties"]
        return Answered(200, objects[key])

    def _wrong(self, kind: str, properties: Object) -> Answered | None:
        """The error with the problems as JSON within its message, as HubSpot writes it."""
        problems = []
        for name, value in properties.items():
            known = self.properties[kind].get(name)
            choice = [each["value"] for each in known["options"]] if known else []
            if known is None:
                problems.append({"message": "...", "error": "PROPERTY_DOESNT_EXIST", "name": name})
            elif choice and value not in choice:
                problems.append({"message": f"{value} ...", "error": "INVALID_OPTION", "name": name})
        if not problems:
            return None
        message = f"Property values were not valid: {json.dumps(problems)}"
        return Answered(400, {"status": "error", "message": message, "category": "VALIDATION_ERROR"})

    def _new_note(self, body: Object) -> Answered:
        note = {"id": str(next(self.ids)), "properties": body["properties"]}
        contacts = [each["to"]["id"] for each in body["associations"]]
        if not all(each in self.contacts for each in contacts):
            return self.error(404)
        self.notes[note["id"]] = note
        for each in contacts:
            self.associated[each].add(note["id"])
        return Answered(201, note)

    def _upsert(self, kind: str, inputs: list[Object]) -> Answered:
        if wrong := self._wrong(kind, inputs[0]["properties"]):
            errors = [{"status": "error", "category": "VALIDATION_ERROR", "message": wrong.json["message"]}]
            return Answered(207, {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": errors})
        key = inputs[0]["id"]
        record = self.own.setdefault(key, {"id": str(next(self.ids)), "properties": {}, "new": True})
        record["properties"] |= inputs[0]["properties"]
        return Answered(200, {"status": "COMPLETE", "results": [record]})

    def _describe(self, kind: str, names: list[str]) -> Answered:
        known = [self.properties[kind][each] for each in names if each in self.properties[kind]]
        return Answered(200 if len(known) == len(names) else 207, {"status": "COMPLETE", "results": known})

    def _notes_of(self, contact: str, start: int) -> Answered:
        notes = sorted(self.associated[contact] & set(self.notes))
        shown = notes[start : start + PAGE]
        page: Object = {"results": [{"toObjectId": int(each), "associationTypes": []} for each in shown]}
        if start + PAGE < len(notes):
            page["paging"] = {"next": {"after": str(start + PAGE)}}
        return Answered(200, page)

    def _search(self, body: Object) -> Answered:
        groups = [group["filters"] for group in body["filterGroups"]]
        found = [
            each
            for each in self.contacts.values()
            if any(all(_matches(each["properties"], condition) for condition in group) for group in groups)
        ]
        return Answered(200, {"total": len(found), "results": found[: body["limit"]]})


def _matches(properties: Object, condition: Object) -> bool:
    name, value = condition["propertyName"], str(condition["value"]).lower()
    if name.startswith("hs_searchable_calculated"):
        number = properties.get("mobilephone" if "mobile" in name else "phone") or ""
        return re.sub(r"\D", "", re.sub(r"^\+(48|1)", "", number)) == value
    held = str(properties.get(name) or "").lower()
    return bool(
        value in re.split(r"[;\s]", held) if condition["operator"] == "CONTAINS_TOKEN" else held == value
    )
