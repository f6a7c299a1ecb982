"""Airtable: a record for each response, found again by its survey id.

Two requests need no client library of their own; the one there is follows redirects and holds a thread for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from app.crm.api import Api, ApiReply
from app.crm.kinds import CrmKind
from app.crm.options import BANDS, Kind, Source, filled, kind
from app.crm.table import TableOptions, after_a_while, missing, unquoted
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

RECORDS_A_REQUEST = 10
PENALTY_SECONDS = 30.0  # for who was too fast
UNTIL_DONE_SECONDS = 30.0  # what was sent and not heard of may still be carried out
TEXTS = frozenset({"singleLineText", "multilineText", "richText", "email", "url", "phoneNumber"})
TAKES: dict[Kind, frozenset[str]] = {
    "text": TEXTS | {"singleSelect"},
    "number": frozenset({"number", "currency"}),
    "truth": frozenset({"checkbox"}),
    "time": frozenset({"dateTime"}) | TEXTS,
    "any": TEXTS | {"singleSelect", "number", "currency", "percent", "checkbox"},
}


class AirtableOptions(TableOptions):
    """Which table, and who may write it."""

    token: SecretStr = Field(description="A personal access token, pat...")
    base: str = Field(pattern=r"^app\w+$", description="The base's id, app...")
    table: str = Field(min_length=1, description="The table's id, tbl..., or its name.")
    per_second: float = Field(
        4.0, gt=0, le=5, description="Pushes a second; Airtable takes 5 from all comers."
    )
    at_once: int = Field(2, ge=1, le=5, description="Pushes under way at the same time.")
    api_url: str = Field("https://api.airtable.com", description="Where Airtable's API is.")


@dataclass(frozen=True)
class Airtable:
    """Writes each response to a record of its own. Airtable finds it by the survey id, or creates it.

    A request carries up to ten responses and is carried out as a whole or not at all.
    """

    api: Api
    options: AirtableOptions = field(repr=False)
    most_at_once: int = RECORDS_A_REQUEST

    async def check(self) -> Sequence[str]:
        """What keeps the options from working; reading the base's fields needs the scope schema.bases:read."""
        said = await self._call("GET", f"/v0/meta/bases/{self.options.base}/tables")
        tables = [each for each in said["tables"] if self.options.table in (each["id"], each["name"])]
        if not tables:
            return [f"the base has no table {self.options.table}"]
        known = {each[key]: each for each in tables[0]["fields"] for key in ("name", "id")}
        checked = (_problem(name, source, known.get(name)) for name, source in self.options.fields.items())
        return [problem for problem in checked if problem]

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Upsert the records in one request; each is found again by its survey id."""
        body = {
            "performUpsert": {"fieldsToMergeOn": [self.options.id_field]},
            "records": [{"fields": filled(self.options.fields, each)} for each in answers],
            "typecast": False,
        }
        said = await self._call(
            "PATCH", f"/v0/{self.options.base}/{quote(self.options.table, safe='')}", body
        )
        return [each["id"] for each in said["records"]]

    async def _call(self, method: str, path: str, body: object | None = None) -> Any:
        try:
            said = await self.api.call(method, path, body, expect=(404, 422))
        except CrmBusy as busy:
            raise after_a_while(busy, unheard=UNTIL_DONE_SECONDS, refused=PENALTY_SECONDS) from None
        if said.status in (404, 422):
            _raise_for(said)
        return said.json


def _problem(name: str, source: Source, known: dict[str, Any] | None) -> str | None:
    """What keeps a field from taking its source's values."""
    if known is None:
        return missing(name, "the table")
    takes = {"singleLineText", "multilineText"} if source == "survey_id" else TAKES[kind(source)]
    if known["type"] not in takes:
        can = ", ".join(sorted(takes))
        return f"the field {name} is of type {known['type']}, which cannot take {source}; {can} can"
    if source == "band" and known["type"] == "singleSelect":
        choices = {each["name"] for each in known["options"]["choices"]}
        if lacking := [band for band in BANDS if band not in choices]:
            return f"the field {name} lacks the choice {', '.join(lacking)}"
    return None


def _raise_for(said: ApiReply) -> None:
    """An error is a word, or a word with a sentence."""
    error = said.json.get("error") if isinstance(said.json, dict) else None
    error = error if isinstance(error, dict) else {"type": error}
    name, words = str(error.get("type") or "an error"), str(error.get("message") or "")
    if said.status == 404:
        raise CrmMisconfigured(f"Airtable answered 404 {name}: there is no such base or table", 404)
    if name == "UNKNOWN_FIELD_NAME":
        raise CrmMisconfigured(f"Airtable answered {said.status} {name}: {words}", said.status)
    raise CrmRefused(
        f"Airtable answered {said.status} {name}: {unquoted(words)}".removesuffix(": "), said.status
    )


def connect(options: AirtableOptions, outgoing: GuardedHttp) -> Crm:
    """The connector to the table that the options name. Sends nothing yet."""
    headers = {"Authorization": f"Bearer {options.token.get_secret_value()}"}
    return Airtable(Api(outgoing, options.api_url, headers), options)


KIND = CrmKind(AirtableOptions, connect)
