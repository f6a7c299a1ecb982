"""A statement: written once, at import, and run by psycopg as often as it is needed.

SQLAlchemy writes most of them, from the tables::

    READ = Statement.of(select(*columns(Attempt, attempts)).where(attempts.c.id == bindparam("id")), Attempt)
    attempt = await READ.first(connection, id=attempt_id)

Those that it would make harder to read are `Statement.sql`. Either way constants stand in the text, so that the server
finds the partial index that was made for them, whatever plan it uses; what comes from outside is a parameter.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Generic, LiteralString, TypeVar, TypeVarTuple, cast, get_origin, overload

from psycopg import AsyncCursor
from psycopg.rows import AsyncRowFactory, class_row, scalar_row, tuple_row
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ClauseElement,
    Column,
    ColumnElement,
    Table,
    UpdateBase,
    any_,
    bindparam,
    column,
    func,
)
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialectAsync_psycopg
from sqlalchemy.sql.selectable import TableValuedAlias, TypedReturnsRows
from sqlalchemy.types import TypeEngine

from app.store import Connection

Row = TypeVar("Row")
Value = TypeVar("Value")
Another = TypeVar("Another")
Others = TypeVarTuple("Others")


class _Compiler(PGCompiler_psycopg):
    """Writes constants into the text, where SQLAlchemy alone would make parameters of them."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **options: Any) -> Any:
        options["literal_binds"] = options.get("literal_binds") or not bindparam.required
        return super().visit_bindparam(bindparam, *args, **options)  # type: ignore[no-untyped-call]


DIALECT = PGDialectAsync_psycopg()  # type: ignore[no-untyped-call]
DIALECT.statement_compiler = _Compiler


@dataclass(frozen=True)
class Statement(Generic[Row]):
    """A statement's text as psycopg takes it, and what a row of its answer becomes.

    Values are passed by the names of the parameters; a missing one raises `psycopg.ProgrammingError`.
    """

    text: bytes
    row_factory: AsyncRowFactory[Row]

    @overload
    @classmethod
    def of(cls, written: ClauseElement, row: type[Row]) -> "Statement[Row]": ...
    @overload
    @classmethod
    def of(cls, written: TypedReturnsRows[Value]) -> "Statement[Value]": ...
    @overload
    @classmethod
    def of(
        cls, written: TypedReturnsRows[Value, Another, *Others]
    ) -> "Statement[tuple[Value, Another, *Others]]": ...
    @overload
    @classmethod
    def of(cls, written: UpdateBase) -> "Statement[None]": ...
    @classmethod
    def of(cls, written: Any, row: Any = None) -> "Statement[Any]":
        """A statement of SQLAlchemy's.

        Its rows become ``row``, a dataclass of its columns; else tuples, or the values of its only column.
        """
        several = len(written.exported_columns) > 1
        return cls(
            str(written.compile(dialect=DIALECT)).encode(),
            _row_factory(row or (tuple if several else object)),
        )

    @overload
    @classmethod
    def sql(cls, text: LiteralString, row: type[Row]) -> "Statement[Row]": ...
    @overload
    @classmethod
    def sql(cls, text: LiteralString) -> "Statement[None]": ...
    @classmethod
    def sql(cls, text: LiteralString, row: Any = object) -> "Statement[Any]":
        """A statement as it stands, with ``%(name)s`` for parameters.

        ``row`` is a dataclass of its columns, their types as ``tuple[int, str]``, or the type of its only column.
        """
        return cls(text.encode(), _row_factory(row))

    async def execute(self, connection: Connection, /, **values: object) -> int:
        """Run it for what it does; gives how many rows it wrote, changed or took away."""
        return (await self._run(connection, values)).rowcount

    async def first(self, connection: Connection, /, **values: object) -> Row | None:
        """The first row, or None; for a single column None also where its value is NULL."""
        return await (await self._run(connection, values)).fetchone()

    async def one(self, connection: Connection, /, **values: object) -> Row:
        """The row of a statement that always has one: a count, an upsert, what a foreign key points to."""
        row = await self.first(connection, **values)
        assert row is not None, "this statement always gives a row"
        return row

    async def all(self, connection: Connection, /, **values: object) -> list[Row]:
        """The rows, in the statement's order."""
        return await (await self._run(connection, values)).fetchall()

    async def batches(
        self, connection: Connection, size: int, /, **values: object
    ) -> AsyncGenerator[list[Row], None]:
        """The rows in the statement's order, at most ``size`` at a time, while the server keeps the others.

        Read it inside `contextlib.aclosing`: it holds a transaction until its end.
        """
        async with (
            connection.transaction(),
            connection.cursor("batches", row_factory=self.row_factory) as cursor,
        ):
            await take_time(connection)
            await cursor.execute(self.text, values)
            while rows := await cursor.fetchmany(size):
                yield rows

    async def _run(self, connection: Connection, values: dict[str, object]) -> AsyncCursor[Row]:
        return await connection.cursor(row_factory=self.row_factory).execute(self.text, values)


async def take_time(connection: Connection) -> None:
    """Let the statements of the transaction under way run for as long as they need."""
    await connection.execute("SET LOCAL statement_timeout TO 0")


def _row_factory(row: Any) -> AsyncRowFactory[Any]:
    if is_dataclass(row):
        return class_row(cast("type[Any]", row))
    return tuple_row if (get_origin(row) or row) is tuple else scalar_row


def columns(row: type[Any], *tables: Table) -> list[Column[Any]]:
    """The columns that a dataclass has fields for, in the fields' order, each from the first table that has it."""
    return [next(table.c[field.name] for table in tables if field.name in table.c) for field in fields(row)]


def parameters(*names: str) -> dict[str, BindParameter[Any]]:
    """A parameter for each column of these names, as ``insert(...).values(...)`` takes them."""
    return {name: bindparam(name) for name in names}


def is_any(column: Column[Any], name: str) -> ColumnElement[bool]:
    """That a column has one of the values in the list that is passed as this parameter."""
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def lists(**types: type[TypeEngine[Any]]) -> TableValuedAlias:
    """A table made of lists: each of its columns is a parameter of its name, and all lists are equally long."""
    parameters = [bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()]
    names = [column(name, kind) for name, kind in types.items()]
    return func.unnest(*parameters).table_valued(*names).render_derived()


def given(
    filters: Mapping[str, ColumnElement[bool]], values: Mapping[str, object]
) -> list[ColumnElement[bool]]:
    """Those of the filters, each under the name of its parameter, for which there is a value: None is no filter."""
    return [condition for name, condition in filters.items() if values[name] is not None]
