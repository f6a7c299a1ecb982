"""Salesforce, as its developer guides describe it: sessions that end, objects with typed fields, SOQL and SOSL."""

import re
from itertools import count
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from aiohttp import web

from tests.crm.answers import COMMENT, EMAIL, PHONE
from tests.crm.vendor import TOKEN, Answered, Held, Request, Vendor

CONTACT = "0035g00000AbCdEAAV"
CASE = "5005g00000AbCdEAAV"
OWN = "NPS_Response__c"
FIELDS = {"NPS_Score__c": "score", "NPS_Comment__c": "comment", "NPS_At__c": "answered_at"}
PREFIXES = {"Task": "00T", OWN: "a01"}
FITS: dict[str, tuple[type, ...]] = {"double": (int, float), "boolean": (bool,)}
SOQL = re.compile(
    r"SELECT ([\w, ]+) FROM (\w+) WHERE (\w+) = '((?:[^'\\]|\\.)*)'(?: AND (\w+) = ([\d-]+))?"
    r" ORDER BY CreatedDate DESC LIMIT (\d+)"
)
SOSL = re.compile(r"FIND \{(.+)\} IN PHONE FIELDS RETURNING Contact\(([\w, ]+) LIMIT \d+\)")
Object = dict[str, Any]


def a_field(name: str, kind: str, length: int = 0, **more: Any) -> Object:
    return {"name": name, "type": kind, "length": length, "updateable": True, "createable": True, **more}


def fields(*each: Object) -> dict[str, Object]:
    return {one["name"]: one for one in each}


class Salesforce(Vendor):
    """An org of one user, whose sessions are numbered: only the newest is good."""

    name = "salesforce"
    customer_id = CONTACT

    def __init__(self) -> None:
        super().__init__()
        self.ids, self.sessions = count(1), 0
        self.ends_sessions = self.moved = False
        self.codes: dict[int, str] = {}
        self.soap_fault: str | None = None
        self.objects: dict[str, dict[str, Object]] = {"Contact": {}, "Case": {}, "Task": {}, OWN: {}}
        self.fields = {
            "Contact": fields(
                a_field("NPS_Score__c", "double"),
                a_field("NPS_Comment__c", "textarea", 32_000),
                a_field("NPS_At__c", "datetime"),
                a_field("Name", "string", 121, updateable=False, createable=False),
                a_field("Title", "string", 128),
            ),
            "Task": fields(
                a_field("Subject", "combobox", 255),
                a_field("Description", "textarea", 32_000),
                a_field("Status", "picklist", 40),
                a_field("ActivityDate", "date"),
                a_field("WhoId", "reference", 18),
                a_field("WhatId", "reference", 18),
                a_field("Called_Back__c", "boolean"),
            ),
            OWN: fields(
                a_field("Survey__c", "string", 40),
                a_field("Score__c", "double"),
                a_field("Callback__c", "boolean"),
                a_field("Contact__c", "reference", 18),
                a_field("Case__c", "reference", 18),
            ),
        }
        self.a_record("Contact", CONTACT, Email=EMAIL, Phone=PHONE)
        self.a_record("Case", CASE)

    def a_record(self, kind: str, key: str, **known: Any) -> None:
        created = f"2026-01-01T00:00:{len(self.objects[kind]):02}.000+0000"
        self.objects[kind][key] = {"Id": key, "CreatedDate": created, **known}

    @property
    def options(self) -> Object:
        task = {"description": "Score: {score}\nSaid: {comment}"}
        return {
            "login_url": self.url, "client_id": "3MVG9", "client_secret": TOKEN, "fields": FIELDS, "task": task,
        }  # fmt: skip

    @property
    def session(self) -> str:
        return f"00D5g!session-{self.sessions}"

    def authorised(self, request: Request) -> bool:
        if "/services/data/" in request.path:
            return not self.ends_sessions and request.headers.get("authorization") == f"Bearer {self.session}"
        return TOKEN.encode() in request.body

    def writes(self, request: Request) -> bool:
        return super().writes(request) and "/services/data/" in request.path

    def answer(self, request: Request) -> Answered:
        if self.moved:
            return Answered(302, headers={"Location": f"{self.url}/elsewhere"})
        match request.method, request.path.rstrip("/").split("/")[2:]:
            case "POST", ["oauth2", "token"]:
                return self._grant(request)
            case "GET", ["data", _, "query"]:
                return self._query(request.query["q"])
            case "GET", ["data", _, "search"]:
                return self._search(request.query["q"])
            case _, ["data", _, "sobjects", kind, *_] if kind not in self.fields:
                return self.error(404)
            case "GET", ["data", _, "sobjects", kind, "describe"]:
                return Answered(200, {"name": kind, "fields": list(self.fields[kind].values())})
            case _, ["data", _, "sobjects", kind, *key]:
                return self._wrong(kind, request.json) or self._write(kind, key, request.json)
        return self.error(404)

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        """The SOAP API, where every refusal is a 500, knows login() and nothing else."""
        if "/services/Soap/u/" not in incoming.path:
            return await super()._serve(incoming)
        if f"<n1:password>{TOKEN}s3cur1ty</n1:password>" not in await incoming.text():
            self.soap_fault = "INVALID_LOGIN"
        if self.soap_fault:
            told = f"<sf:exceptionCode>{self.soap_fault}</sf:exceptionCode>"
            told += f"<sf:exceptionMessage>{EMAIL} may not</sf:exceptionMessage>"
            return web.Response(
                status=500, text=f'<f xmlns:sf="urn:fault">{told}</f>', content_type="text/xml"
            )
        self.sessions += 1
        told = f"<serverUrl>{self.url}/services/Soap/u/64.0/00D5g</serverUrl><sessionId>{self.session}</sessionId>"
        return web.Response(text=f"<loginResponse>{told}</loginResponse>", content_type="text/xml")

    def held(self, survey_id: UUID) -> list[Held]:
        texts = [each["Description"] for each in self.objects["Task"].values()]
        found = [
            re.match(r"Score: (\d+)(?:\nSaid: (.*))?\n\nZeroten", each, re.DOTALL)
            for each in texts
            if str(survey_id) in each
        ]
        return [Held(int(each[1]), each[2]) for each in found if each]

    def lose_customer(self) -> None:
        del self.objects["Contact"][CONTACT]

    def lose_field(self) -> str:
        del self.fields["Contact"]["NPS_Score__c"]
        return "NPS_Score__c"

    def error(self, status: int, code: str = "", *names: str) -> Answered:
        if self.seen and "/oauth2/" in self.seen[-1].path:
            return Answered(
                status, {"error": code or "invalid_client", "error_description": f"{EMAIL} may not"}
            )
        known = {401: "INVALID_SESSION_ID", 404: "NOT_FOUND", 500: "UNKNOWN_EXCEPTION"}
        words = f"{PHONE}, {EMAIL}" + (f": {COMMENT} is not valid" if status in (400, 404, 409, 422) else "")
        code = code or self.codes.get(status) or known.get(status, "FIELD_INTEGRITY_EXCEPTION")
        return Answered(status, [{"message": words, "errorCode": code, "fields": list(names)}])

    def _grant(self, request: Request) -> Answered:
        given = parse_qs(request.body.decode())
        if given["grant_type"] == ["refresh_token"] and given["refresh_token"] != ["5Aep"]:
            return self.error(400, "invalid_grant")
        self.sessions += 1
        return Answered(200, {"access_token": self.session, "instance_url": self.url, "token_type": "Bearer"})

    def _query(self, soql: str) -> Answered:
        read = SOQL.fullmatch(soql)
        if read is None:
            return self.error(400, "MALFORMED_QUERY")
        columns, kind, name, quoted, also, day, most = read.groups()
        value = re.sub(r"\\(.)", r"\1", quoted)
        found = [
            each
            for each in self.objects[kind].values()
            if str(each.get(name, "")).lower() == value.lower() and (also is None or each.get(also) == day)
        ]
        return self._shown(kind, columns, found[::-1][: int(most)], "records")

    def _search(self, sosl: str) -> Answered:
        read = SOSL.fullmatch(sosl)
        if read is None:
            return self.error(400, "MALFORMED_SEARCH")
        phrases = set(re.findall(r'"([\d ]+)"', read[1]))
        found = [
            each
            for each in self.objects["Contact"].values()
            if any(
                re.sub(r"\D+", " ", str(each.get(name, ""))).strip() in phrases
                for name in ("Phone", "MobilePhone")
            )
        ]
        return self._shown("Contact", read[2], found, "searchRecords")

    def _shown(self, kind: str, columns: str, found: list[Object], key: str) -> Answered:
        names = columns.split(", ")
        known = {"Id", "CreatedDate", "Phone", "MobilePhone", "HomePhone", "OtherPhone", *self.fields[kind]}
        if not known.issuperset(names):
            return self.error(400, "INVALID_FIELD")
        return Answered(200, {key: [{name: each.get(name) for name in names} for each in found]})

    def _wrong(self, kind: str, given: Object) -> Answered | None:
        for name, value in given.items():
            if name not in self.fields[kind]:
                return self.error(400, "INVALID_FIELD", name)
            own = self.fields[kind][name]
            if own["type"] == "reference" and not any(value in each for each in self.objects.values()):
                return self.error(400, "INVALID_CROSS_REFERENCE_KEY", name)
            if value is not None and not isinstance(value, FITS.get(own["type"], (str,))):
                return self.error(400, "JSON_PARSER_ERROR")
            if own["length"] and len(str(value or "")) > own["length"]:
                return self.error(400, "STRING_TOO_LONG", name)
        return None

    def _write(self, kind: str, key: list[str], given: Object) -> Answered:
        match key:
            case [field, value]:
                if field not in self.fields[kind]:
                    return self.error(404)
                found = [each for each in self.objects[kind].values() if each.get(field) == value]
                if found:
                    found[0].update(given)
                    return Answered(
                        200, {"id": found[0]["Id"], "success": True, "created": False, "errors": []}
                    )
                return self._create(kind, {field: value, **given})
            case [record] if record in self.objects[kind]:
                self.objects[kind][record].update(given)
                return Answered(204)
            case [_]:
                return self.error(404)
            case _:
                return self._create(kind, given)

    def _create(self, kind: str, given: Object) -> Answered:
        key = f"{PREFIXES[kind]}5g{next(self.ids):010}AAV"
        self.a_record(kind, key, **given)
        return Answered(201, {"id": key, "success": True, "created": True, "errors": []})
