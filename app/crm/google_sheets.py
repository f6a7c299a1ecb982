"""Google Sheets: a row for each response, under the columns that the sheet's first row names.

Google's own library signs for the account; the requests are ours, since the libraries for sheets know neither another
address nor a guard. One batchUpdate changes rows and adds them, wholly or not at all.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from app.crm.google_account import ServiceAccount
from app.crm.google_cells import SheetColumn, Writer
from app.crm.google_spreadsheet import GoogleSpreadsheet, Sheet
from app.crm.kinds import CrmKind
from app.crm.table import TableOptions, missing
from app.errors import CrmMisconfigured
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
ROWS_AT_ONCE = 100


def _spreadsheet(given: str) -> str:
    """Its id, where its whole address was given."""
    found = re.search(r"/spreadsheets/d/([\w-]+)", given)
    return found[1] if found else given


class GoogleSheetsOptions(TableOptions):
    """Which sheet, and the account that may write it."""

    service_account: SecretStr = Field(description="A service account's key file: its path, or its content.")
    spreadsheet: Annotated[str, Field(pattern=r"^[\w-]+$|/spreadsheets/d/"), AfterValidator(_spreadsheet)] = (
        Field(description="The spreadsheet's address, or its id.")
    )
    sheet: str = Field("", description="The sheet's name; none: the first one.")
    time_format: str = Field("yyyy-mm-dd hh:mm:ss", description="How new cells show answered_at.")
    per_second: float = Field(0.8, gt=0, le=5, description="Pushes a second; Google takes 60 a minute.")
    at_once: int = Field(1, ge=1, le=10, description="Pushes under way at the same time.")
    api_url: str = Field("https://sheets.googleapis.com", description="Where Google's API is.")


@dataclass(frozen=True)
class GoogleSheets:
    """Writes each response to a row of its own, found by its survey id each time, since people move and delete rows."""

    spreadsheet: GoogleSpreadsheet
    options: GoogleSheetsOptions = field(repr=False)
    most_at_once: int = ROWS_AT_ONCE

    async def check(self) -> Sequence[str]:
        """An empty sheet has no problem: its first row is written with the first answer."""
        return self._problems(await self.spreadsheet.read())

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Change the rows that are there, and add the others."""
        sheet = await self.spreadsheet.read()
        if problems := self._problems(sheet):
            raise CrmMisconfigured("; ".join(problems))
        columns = self._columns(sheet)
        writer = Writer(sheet.id, columns, sheet.zone, self.options.time_format)
        place = next(each.place for each in columns if each.source == "survey_id")
        perhaps_there = {str(each.survey_id) for each in answers if each.tried or each.remote_id}
        rows = await self.spreadsheet.find(sheet, place, perhaps_there)
        requests = [] if sheet.titles else [writer.head(list(self.options.fields))]
        for answer in answers:
            if (row := rows.get(str(answer.survey_id))) is not None:
                requests += writer.change(row, answer)
        if new := [each for each in answers if str(each.survey_id) not in rows]:
            requests.append(writer.add(new))
        await self.spreadsheet.change(requests)
        return [str(each.survey_id) for each in answers]

    def _problems(self, sheet: Sheet) -> Sequence[str]:
        found = Counter(map(_folded, sheet.titles or self.options.fields))
        lacking = [missing(name, "the sheet") for name in self.options.fields if not found[_folded(name)]]
        doubled = [
            f"the sheet has {found[_folded(name)]} columns {name}"
            for name in self.options.fields
            if found[_folded(name)] > 1
        ]
        return lacking + doubled

    def _columns(self, sheet: Sheet) -> list[SheetColumn]:
        titles = [_folded(each) for each in sheet.titles or self.options.fields]
        found = (
            SheetColumn(titles.index(_folded(name)), source) for name, source in self.options.fields.items()
        )
        return sorted(found, key=lambda each: each.place)


def _folded(title: str) -> str:
    return title.strip().casefold()


def connect(options: GoogleSheetsOptions, outgoing: GuardedHttp) -> Crm:
    """The sheet. Raises `StartError` where google-auth is not installed, or there is no key."""
    account = ServiceAccount.of(options.service_account, SCOPE, outgoing)
    return GoogleSheets(
        GoogleSpreadsheet(account, options.api_url, options.spreadsheet, options.sheet), options
    )


KIND = CrmKind(GoogleSheetsOptions, connect)
