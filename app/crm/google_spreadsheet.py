"""A Google spreadsheet over its API: what one sheet holds, and changes to it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.crm.api import Api, ApiReply
from app.crm.google_account import ServiceAccount
from app.crm.table import after_a_while, unquoted
from app.errors import CrmBusy, CrmMisconfigured, CrmRefused

QUOTA_SECONDS = 30.0  # Google's own advice; its quotas are per minute
UNTIL_DONE_SECONDS = 60.0  # what was sent and not heard of may still be carried out
TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED"})
OURS_TO_MEND = ("parse range", "protected", "number of cells", "No grid")
SHEET = (
    "properties.timeZone,"
    "sheets(properties(sheetId,gridProperties.rowCount),data.rowData.values.formattedValue)"
)


@dataclass(frozen=True)
class Sheet:
    """A sheet as it stands. ``titles`` are those of its first row, by place."""

    id: int
    rows: int
    titles: Sequence[str]
    zone: ZoneInfo


@dataclass(frozen=True)
class GoogleSpreadsheet:
    """One sheet of the spreadsheet with this id: the one of this title, or the first where that is empty."""

    account: ServiceAccount
    base: str
    id: str
    title: str

    async def read(self) -> Sheet:
        """The sheet with its first row."""
        query = {"ranges": f"{self._prefix}1:1", "fields": SHEET}
        said = await self._call("GET", "", query=query)
        found = said["sheets"][0]
        first_row: dict[str, Any] = next(iter(found["data"][0].get("rowData", [])), {})
        cells = first_row.get("values", [])
        titles = [str(each.get("formattedValue", "")) for each in cells]
        return Sheet(
            id=found["properties"].get("sheetId", 0),
            rows=found["properties"]["gridProperties"]["rowCount"],
            titles=titles if any(map(str.strip, titles)) else (),
            zone=_zone(said["properties"].get("timeZone", "")),
        )

    async def find(self, sheet: Sheet, place: int, wanted: Collection[str]) -> dict[str, int]:
        """The rows, from 0, that hold these texts in the column at this place; the newest are looked through first."""
        found: dict[str, int] = {}
        for first, last in _stretches(sheet.rows):
            if len(found) == len(wanted):
                break
            area = quote(f"{self._prefix}R{first}C{place + 1}:R{last}C{place + 1}", safe="")
            said = await self._call("GET", f"/values/{area}", query={"majorDimension": "COLUMNS"})
            for row, held in enumerate(next(iter(said.get("values", ())), ()), first - 1):
                if held in wanted:
                    found.setdefault(held, row)
        return found

    async def change(self, requests: Sequence[Mapping[str, Any]]) -> None:
        """Carry out all of these, or none."""
        await self._call("POST", ":batchUpdate", {"requests": requests}, {"fields": "spreadsheetId"})

    @property
    def _prefix(self) -> str:
        return "'{}'!".format(self.title.replace("'", "''")) if self.title else ""

    async def _call(
        self, method: str, path: str, body: object | None = None, query: Mapping[str, str] | None = None
    ) -> Any:
        path = f"/v4/spreadsheets/{self.id}{path}"
        query = {**(query or {}), "prettyPrint": "false"}
        try:
            said = await self._send(method, path, body, query)
            if said.status == 401:  # nothing was done, and the token at hand may have been withdrawn
                said = await self._send(method, path, body, query, anew=True)
        except CrmBusy as busy:
            raise after_a_while(busy, unheard=UNTIL_DONE_SECONDS, refused=QUOTA_SECONDS) from None
        if said.status >= 400:
            _raise_for(said)
        return said.json

    async def _send(
        self, method: str, path: str, body: object | None, query: Mapping[str, str], *, anew: bool = False
    ) -> ApiReply:
        api = Api(self.account.outgoing, self.base, await self.account.headers(anew=anew))
        return await api.call(method, path, body, query, expect=(400, 401, 403, 404))


def _stretches(rows: int) -> Iterator[tuple[int, int]]:
    """Rows below the first, counted from 1, from the last up, in pieces whose ids fit into one answer."""
    last = rows
    for size in chain((2_000,), repeat(20_000)):
        if last < 2:
            return
        first = max(2, last - size + 1)
        yield first, last
        last = first - 1


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):  # a sheet's zone may be a mere offset
        return ZoneInfo("UTC")


def _raise_for(said: ApiReply) -> None:
    error = said.json.get("error") if isinstance(said.json, dict) else None
    error = error if isinstance(error, dict) else {}
    reasons = {str(each.get("reason")) for each in [*error.get("errors", ()), *error.get("details", ())]}
    words = str(error.get("message") or "")
    told = f"Google answered {said.status}: {unquoted(words)}"
    match said.status:
        case 403 if reasons & TOO_FAST or error.get("status") == "RESOURCE_EXHAUSTED":
            raise CrmBusy(told, 403, QUOTA_SECONDS)
        case 403 | 404:
            raise CrmMisconfigured(f"{told} Is the spreadsheet shared with the service account?", said.status)
        case 401:
            raise CrmMisconfigured(told, 401)
        case _ if any(each in words for each in OURS_TO_MEND):
            raise CrmMisconfigured(told, said.status)
        case _:
            raise CrmRefused(told, said.status)
