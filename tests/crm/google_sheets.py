"""Google Sheets, with one spreadsheet of one sheet, and the endpoint that gives access tokens."""

import json
import re
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.crm.answers import EMAIL, PHONE
from tests.crm.vendor import TOKEN, Answered, Held, Request, Vendor

SPREADSHEET, SHEET_ID = "1sheet-of_NPS", 77
ACCOUNT = "zeroten@project.iam.gserviceaccount.com"
TITLES = (
    "survey_id", "answered_at", "queue", "agent", "channel", "language", "score", "band", "comment", "callback",
    "interaction_id", "crm_id",
)  # fmt: skip
COLUMN = re.compile(r"(?:'(.+)'!)?R(\d+)C(\d+):R(\d+)C(\d+)")

Cell = dict[str, Any]


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The account's key, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GoogleSheetsServer(Vendor):
    """Keeps cells as they were entered. A batch with a request that is not valid changes nothing."""

    name = "google_sheets"
    customer_id = "0035g00000XyZ"
    has_records = False

    def __init__(self) -> None:
        super().__init__()
        self.title, self.zone, self.shared = "Answers", "Europe/Warsaw", True
        self.rows: list[list[Cell]] = [[_text(each) for each in TITLES]]
        self.grid_rows = 1000
        self.too_fast: str | None = None
        self.takes_no_change: str | None = None
        self.tokens: list[str] = []
        self._numbers = count()

    @property
    def key(self) -> dict[str, Any]:
        """The service account's key file."""
        pem = private_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "token_uri": f"{self.url}/token",
        }

    @property
    def options(self) -> dict[str, Any]:
        return {
            "service_account": json.dumps(self.key),
            "spreadsheet": SPREADSHEET,
            "sheet": self.title,
            "api_url": self.url,
        }

    def authorised(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return request.path == "/token" or given in self.tokens

    def writes(self, request: Request) -> bool:
        return request.path.endswith(":batchUpdate")

    def answer(self, request: Request) -> Answered:
        if request.path == "/token":
            return self._token(request)
        if not self.shared:
            return self.error(403)
        if self.too_fast:
            error = {"code": 403, "message": "Quota exceeded", "errors": [{"reason": self.too_fast}]}
            return Answered(403, {"error": error})
        match request.method, request.path.removeprefix("/v4/spreadsheets/").split("/", 2):
            case "GET", [spreadsheet] if spreadsheet == SPREADSHEET:
                return self._first_row(request.query["ranges"])
            case "GET", [spreadsheet, "values", area] if spreadsheet == SPREADSHEET:
                return self._column(area)
            case "POST", [method] if method == f"{SPREADSHEET}:batchUpdate":
                return self._change(request.json["requests"])
        return self.error(404)

    def error(self, status: int) -> Answered:
        name = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}.get(
            status, "OTHER"
        )
        words = f'Not this: "{PHONE} / {EMAIL}"'
        return Answered(status, {"error": {"code": status, "message": words, "status": name}})

    def held(self, survey_id: UUID) -> list[Held]:
        return [
            Held(each["score"], each.get("comment"))
            for each in self.table()
            if each.get("survey_id") == str(survey_id)
        ]

    def lose_customer(self) -> None:
        raise NotImplementedError("a table has none")

    def lose_field(self) -> str:
        place = self.titles().index("comment")
        for row in self.rows:
            del row[place : place + 1]
        return "comment"

    def titles(self) -> list[Any]:
        """The first row's values."""
        return [_value(each) for each in self.rows[0]] if self.rows else []

    def table(self) -> list[dict[str, Any]]:
        """The rows below the first by its titles; dates are numbers."""
        return [
            {
                title: _value(cell)
                for title, cell in zip(self.titles(), row, strict=False)
                if _value(cell) is not None
            }
            for row in self.rows[1:]
        ]

    def cell(self, row: int, title: str) -> Cell:
        """A cell, as it is kept."""
        return self.rows[row][self.titles().index(title)]

    def _token(self, request: Request) -> Answered:
        (assertion,) = parse_qs(request.body.decode())["assertion"]
        try:
            claims = jwt.decode(
                assertion,
                private_key().public_key(),
                algorithms=["RS256"],
                audience="https://oauth2.googleapis.com/token",
            )
        except jwt.InvalidTokenError:
            return Answered(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        if claims["iss"] != ACCOUNT or claims["scope"] != "https://www.googleapis.com/auth/spreadsheets":
            return Answered(400, {"error": "invalid_scope"})
        self.tokens.append(f"{TOKEN}-{next(self._numbers)}")
        return Answered(200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"})

    def _first_row(self, area: str) -> Answered:
        if area not in (f"'{self.title}'!1:1", "1:1"):
            message = f"Unable to parse range: {area}"
            return Answered(400, {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}})
        cells = [{"formattedValue": str(each)} if each is not None else {} for each in self.titles()]
        data: dict[str, Any] = {"rowData": [{"values": cells}]} if cells else {}
        properties = {"sheetId": SHEET_ID, "gridProperties": {"rowCount": self.grid_rows}}
        sheet = {"properties": properties, "data": [data]}
        return Answered(200, {"properties": {"timeZone": self.zone}, "sheets": [sheet]})

    def _column(self, area: str) -> Answered:
        found = COLUMN.fullmatch(area)
        assert found is not None, area
        first, column, last, _ = map(int, found.groups()[1:])
        if found[1] not in (self.title, None) or last > self.grid_rows:
            return self.error(400)
        held = [
            _value(row[column - 1]) if len(row) >= column else None for row in self.rows[first - 1 : last]
        ]
        while held and held[-1] is None:
            held.pop()
        said: dict[str, Any] = {"range": area, "majorDimension": "COLUMNS"}
        return Answered(200, said | ({"values": [[each or "" for each in held]]} if held else {}))

    def _change(self, requests: list[dict[str, Any]]) -> Answered:
        if self.takes_no_change:
            error = {"code": 400, "message": self.takes_no_change, "status": "INVALID_ARGUMENT"}
            return Answered(400, {"error": error})
        if any(next(iter(each.values())).get("sheetId", SHEET_ID) != SHEET_ID for each in requests):
            return self.error(400)
        for request in requests:
            match request:
                case {"updateCells": {"start": start, "rows": rows, "fields": fields}}:
                    self._enter(start["rowIndex"], start["columnIndex"], rows, fields)
                case {"appendCells": {"rows": rows, "fields": fields}}:
                    filled = [number for number, row in enumerate(self.rows) if any(map(_is_filled, row))]
                    self._enter(max(filled, default=-1) + 1, 0, rows, fields)
        return Answered(200, {"spreadsheetId": SPREADSHEET})

    def _enter(self, row: int, column: int, rows: list[dict[str, Any]], fields: str) -> None:
        for number, each in enumerate(rows, row):
            self.rows += [[] for _ in range(number + 1 - len(self.rows))]
            cells = self.rows[number]
            cells += [{} for _ in range(column + len(each["values"]) - len(cells))]
            for place, cell in enumerate(each["values"], column):
                known = {name.split(".")[0] for name in fields.split(",")}
                kept = {name: value for name, value in cells[place].items() if name not in known}
                cells[place] = kept | {name: value for name, value in cell.items() if name in known}
        self.grid_rows = max(self.grid_rows, len(self.rows))


def _text(text: str) -> Cell:
    return {"userEnteredValue": {"stringValue": text}}


def _is_filled(cell: Cell) -> bool:
    return "userEnteredValue" in cell


def _value(cell: Cell) -> Any:
    return next(iter(cell.get("userEnteredValue", {}).values()), None)
