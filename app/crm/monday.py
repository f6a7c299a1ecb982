"""monday.com: an item for each response.

Three GraphQL requests need no client library.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import Field, SecretStr

from app.crm.api import Api
from app.crm.kinds import CrmKind
from app.crm.monday_api import QueryResult, ask, error
from app.crm.monday_columns import BoardColumns, columns_of
from app.crm.options import Template, written
from app.crm.table import TableOptions
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

VERSION = "2026-10"
ITEMS_A_REQUEST = 5  # each takes about a second, and no answer is waited for longer than ten
LONGEST_NAME = 255

COLUMNS = "query ($board: ID!) { boards(ids: [$board]) { columns { id title type } } }"
FIND = """query ($board: ID!, $column: String!, $ids: [String]!) {
  items_page_by_column_values(board_id: $board, limit: 100, columns: [{column_id: $column, column_values: $ids}]) {
    items { id column_values(ids: [$column]) { text } }
  }
}"""

CREATE = (
    "a{place}: create_item(board_id: $board, {group}item_name: $name{place}, column_values: $values{place},"
    " create_labels_if_missing: true) {{ id }}"
)
CHANGE = (
    "a{place}: change_multiple_column_values(board_id: $board, item_id: $item{place}, column_values: $values{place},"
    " create_labels_if_missing: true) {{ id }}"
)


class MondayOptions(TableOptions):
    """Which board, and who may write it."""

    token: SecretStr = Field(description="A personal API token, or an app's.")
    board: str = Field(pattern=r"^\d+$", description="The board's id: the number in its address.")
    group: str | None = Field(None, description="The id of the group for new items; none: the topmost.")
    item_name: Template = Field("{queue}: {score}", description="What an item is called.")
    api_version: str = Field(VERSION, pattern=r"^\d{4}-\d\d$", description="The API-Version header.")
    per_second: float = Field(1.0, gt=0, le=10, description="Pushes a second.")
    at_once: int = Field(1, ge=1, le=1, description="monday wants a board to be written by one at a time.")
    api_url: str = Field("https://api.monday.com/v2", description="Where monday's API is.")


@dataclass(frozen=True)
class Monday:
    """Writes each response to an item of its own.

    monday.com carries out the parts of a request one by one, so some may succeed when another fails. The items that
    were made are remembered, or looked for by their survey id, so that the next push changes them.
    """

    api: Api
    options: MondayOptions = field(repr=False)
    most_at_once: int = ITEMS_A_REQUEST
    _half_done: dict[UUID, str] = field(default_factory=dict, repr=False)
    _columns: list[BoardColumns] = field(default_factory=list, repr=False)

    async def check(self) -> Sequence[str]:
        """Needs boards:read, as pushing needs boards:write."""
        return (await self._read_columns()).problems

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Change the items that are there, and make the others."""
        columns = self._columns[0] if self._columns else await self._read_columns()
        if columns.problems:
            self._columns.clear()
            raise CrmMisconfigured("; ".join(columns.problems))
        known = await self._known(columns, answers)
        mutation, variables = self._mutation(columns, answers, known)
        done = await ask(self.api, mutation, variables)
        parts = {f"a{place}": each.survey_id for place, each in enumerate(answers)}
        items = {parts[part]: str(item["id"]) for part, item in done.data.items()}
        if done.problems:
            self._columns.clear()  # they may have changed
            made = {survey_id: item for survey_id, item in items.items() if survey_id not in known}
            self._half_done.update(made)
            changing = {part for part, survey_id in parts.items() if survey_id in known}
            raise _worst(done, changing, half_done=bool(made))
        for answer in answers:
            self._half_done.pop(answer.survey_id, None)
        return [items[each.survey_id] for each in answers]

    async def _read_columns(self) -> BoardColumns:
        done = await self._ask(COLUMNS, {"board": self.options.board})
        if not done.get("boards"):
            raise CrmMisconfigured(f"there is no board {self.options.board} that this token may see")
        self._columns[:] = [columns_of(done["boards"][0]["columns"], self.options.fields)]
        return self._columns[0]

    async def _known(self, columns: BoardColumns, answers: Sequence[ResponseToPush]) -> dict[UUID, str]:
        """The items of answers that have one."""
        known = {each.survey_id: each.remote_id for each in answers if each.remote_id} | self._half_done
        sought = {str(each.survey_id) for each in answers if each.tried and each.survey_id not in known}
        if not sought:
            return known
        column = columns.id_column
        done = await self._ask(FIND, {"board": self.options.board, "column": column, "ids": sorted(sought)})
        found = done["items_page_by_column_values"]["items"]
        return {UUID(each["column_values"][0]["text"]): str(each["id"]) for each in found} | known

    def _mutation(
        self, columns: BoardColumns, answers: Sequence[ResponseToPush], known: Mapping[UUID, str]
    ) -> tuple[str, dict[str, Any]]:
        """One request with a part for each of them, and its variables."""
        declared, parts = ["$board: ID!"], []
        variables: dict[str, Any] = {"board": self.options.board}
        group = self.options.group if any(each.survey_id not in known for each in answers) else None
        if group is not None:
            declared.append("$group: String!")
            variables["group"] = group
        for place, answer in enumerate(answers):
            name, item = written(self.options.item_name, answer)[:LONGEST_NAME], known.get(answer.survey_id)
            filled = columns.values(answer, clear=item is not None)
            if item is None:
                parts.append(CREATE.format(place=place, group="" if group is None else "group_id: $group, "))
                declared.append(f"$name{place}: String!")
                variables[f"name{place}"] = name
            else:
                parts.append(CHANGE.format(place=place))
                declared.append(f"$item{place}: ID!")
                variables[f"item{place}"] = item
                filled["name"] = name
            declared.append(f"$values{place}: JSON!")
            variables[f"values{place}"] = json.dumps(filled, ensure_ascii=False)
        return f"mutation ({', '.join(declared)}) {{ {' '.join(parts)} }}", variables

    async def _ask(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        done = await ask(self.api, query, variables)
        if done.problems:
            raise _worst(done)
        return done.data


def _worst(done: QueryResult, changing: Collection[str] = (), *, half_done: bool = False) -> CrmError:
    """What the whole request comes to: first what a person must mend, then what is worth another try.

    After one that was ``half_done`` a later push must know that it may find what was made.
    """
    errors = [error(each, changing=each.part in changing) for each in done.problems]
    rank = {CrmMisconfigured: 0, CrmBusy: 1}
    worst = min(errors, key=lambda each: rank.get(type(each), 2))
    if half_done and not isinstance(worst, CrmRefused):
        return CrmBusy(f"half done: {worst}", retry_after=getattr(worst, "retry_after", None))
    return worst


def connect(options: MondayOptions, outgoing: GuardedHttp) -> Crm:
    """The connector to the board that the options name. Sends nothing yet."""
    headers = {"Authorization": options.token.get_secret_value(), "API-Version": options.api_version}
    return Monday(Api(outgoing, options.api_url, headers), options)


KIND = CrmKind(MondayOptions, connect)
