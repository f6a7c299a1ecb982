"""monday.com, with one board, behind a GraphQL server of its own schema."""

import json
from itertools import count
from typing import Any
from uuid import UUID

from graphql import GraphQLError, build_schema, graphql_sync

from tests.crm.answers import EMAIL, PHONE
from tests.crm.vendor import DESCRIPTIONS, TOKEN, Answered, Held, Request, Vendor

SCHEMA = build_schema((DESCRIPTIONS / "monday.graphql").read_text(encoding="utf-8"))
BOARD = "1234567890"
TYPES = {
    "survey_id": "text", "answered_at": "date", "queue": "text", "agent": "text", "channel": "text",
    "language": "text", "score": "numbers", "band": "status", "comment": "long_text", "callback": "checkbox",
    "interaction_id": "text", "crm_id": "text",
}  # fmt: skip


def refusal(code: str, message: str, status: int = 200, **more: Any) -> GraphQLError:
    """An error as monday words it."""
    return GraphQLError(message, extensions={"code": code, "status_code": status, "error_data": {}, **more})


class MondayServer(Vendor):
    """Carries out the parts of a request one after the other, whether or not one of them fails."""

    name = "monday"
    customer_id = "0035g00000XyZ"
    has_records = False

    def __init__(self) -> None:
        super().__init__()
        self.columns = [
            {"id": f"{type_}_{number}", "title": title, "type": type_}
            for number, (title, type_) in enumerate(TYPES.items())
        ]
        self.items: dict[str, dict[str, Any]] = {}
        self.groups = {"topics"}
        self.refuse_if: dict[str, GraphQLError] = {}
        self.says_instead: Answered | None = None
        self._numbers = count(9_876_543_210)

    @property
    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "board": BOARD, "api_url": f"{self.url}/v2"}

    def authorised(self, request: Request) -> bool:
        return request.headers.get("authorization") == TOKEN

    def writes(self, request: Request) -> bool:
        return "mutation" in request.json["query"]

    def answer(self, request: Request) -> Answered:
        if self.says_instead is not None:
            return self.says_instead
        asked = request.json
        result = graphql_sync(SCHEMA, asked["query"], self, variable_values=asked.get("variables"))
        told = result.formatted
        if any("code" not in (each.extensions or {}) for each in result.errors or ()):
            self.violations.append(f"{result.errors}")
        return Answered(200, {**told, "account_id": 1})

    def error(self, status: int) -> Answered:
        if status == 401:
            return Answered(401, {"errors": ["Not Authenticated"]})
        words = f'It was "{PHONE} / {EMAIL}"'
        code = {429: "FIELD_MINUTE_RATE_LIMIT_EXCEEDED", 500: "INTERNAL_SERVER_ERROR"}.get(
            status, f"E{status}"
        )
        return Answered(status, {"errors": [{"message": words, "extensions": {"code": code}}]})

    def held(self, survey_id: UUID) -> list[Held]:
        return [
            Held(int(each["score"]), each["comment"]["text"] if each.get("comment") else None)
            for each in map(self.row, self.items)
            if each.get("survey_id") == str(survey_id)
        ]

    def lose_customer(self) -> None:
        raise NotImplementedError("a table has none")

    def lose_field(self) -> str:
        self.columns = [each for each in self.columns if each["title"] != "comment"]
        return "comment"

    def row(self, item_id: str) -> dict[str, Any]:
        """An item's values by the titles of its columns."""
        titles = {each["id"]: each["title"] for each in self.columns} | {"name": "name"}
        return {titles[name]: value for name, value in self.items[item_id].items() if name in titles}

    # What the schema's fields lead to.

    def boards(self, _info: Any, ids: list[str], **_: Any) -> list[dict[str, Any]]:
        return [{"id": BOARD, "name": "NPS", "columns": self.columns}] if BOARD in ids else []

    def items_page_by_column_values(
        self, _info: Any, board_id: str, columns: list[dict[str, Any]], **_: Any
    ) -> dict[str, Any]:
        assert board_id == BOARD
        ((name, wanted),) = ((each["column_id"], each["column_values"]) for each in columns)
        found = [item_id for item_id, held in self.items.items() if held.get(name) in wanted]
        return {"cursor": None, "items": [self._item(each) for each in found]}

    def create_item(
        self,
        _info: Any,
        board_id: str,
        item_name: str,
        column_values: str,
        group_id: str = "topics",
        **_: Any,
    ) -> dict[str, Any]:
        if group_id not in self.groups:
            raise refusal("ResourceNotFoundException", "Group not found", 404)
        changes = self._checked(board_id, column_values)
        item_id = str(next(self._numbers))
        self.items[item_id] = {"name": item_name, **changes}
        return self._item(item_id)

    def change_multiple_column_values(
        self, _info: Any, board_id: str, item_id: str, column_values: str, **_: Any
    ) -> dict[str, Any]:
        changes = self._checked(board_id, column_values)
        if item_id not in self.items:
            raise refusal("ResourceNotFoundException", "Item not found", 404)
        held = self.items[item_id] | changes
        self.items[item_id] = {name: value for name, value in held.items() if value not in (None, "", {})}
        return self._item(item_id)

    def _item(self, item_id: str) -> dict[str, Any]:
        held = self.items[item_id]

        def column_values(_info: Any, ids: list[str]) -> list[dict[str, Any]]:
            return [{"__typename": "TextValue", "id": each, "text": held.get(each) or ""} for each in ids]

        return {"id": item_id, "name": held["name"], "column_values": column_values}

    def _checked(self, board_id: str, column_values: str) -> dict[str, Any]:
        if board_id != BOARD:
            raise refusal("InvalidBoardIdException", "This board ID doesn't exist")
        changes: dict[str, Any] = json.loads(column_values)
        types = {each["id"]: each["type"] for each in self.columns} | {"name": "text"}
        for name, value in changes.items():
            if name not in types:
                raise refusal("InvalidColumnIdException", "This column ID doesn't exist for the board")
            if not _fits(types[name], value):
                raise refusal("ColumnValueException", f'invalid value {{"{value}"}}')
            for words, error in self.refuse_if.items():
                if words in json.dumps(value, ensure_ascii=False):
                    raise error
        return changes


def _fits(type_: str, value: Any) -> bool:
    match type_, value:
        case _, None:
            fits = True
        case "numbers", str():
            fits = not value or value.lstrip("-").replace(".", "", 1).isdigit()
        case "long_text", {"text": str(text)}:
            fits = len(text) <= 2_000
        case "date", {"date": str(date), "time": str(time)}:
            fits = len(date) == 10 and len(time) == 8
        case "phone", {"phone": str(), "countryShortName": str(region)}:
            fits = len(region) == 2
        case (
            ("text" | "long_text", str())
            | ("status", {"label": str()})
            | ("checkbox", {"checked": "true"})
            | ("email", {"email": str(), "text": str()})
            | ("dropdown", {"labels": [*_]})
        ):
            fits = True
        case _:
            fits = False
    return fits
