"""How an address of the API is reached: its key first, then the names of its parameters, and only then a body."""

import json
import re
from collections.abc import Callable, Coroutine, Iterator
from difflib import get_close_matches
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from app.errors import FieldProblem, Invalid
from app.text import storable
from app.web.access import BEARER, KeyRequirement

# A full batch has a third of these; each costs half a microsecond.
MOST_VALUES = 1_000_000
JSON_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class JsonRequest(Request):
    """A request whose JSON is small enough to be read in one go."""

    async def json(self) -> Any:
        """The body; raises as `read_json` does."""
        return read_json(await self.body())


class ApiRoute(APIRoute):
    """A route whose key is checked before its body is read, and that takes no query parameter it does not know."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, which runs once the key and the names of the query parameters are checked.

        A refusal is raised before the body is read: of the key by `KeyRequirement`, of a parameter as `Invalid`.
        """
        answer = super().get_route_handler()
        dependencies = [each.dependency for each in self.dependencies]
        requirements = [each for each in dependencies if isinstance(each, KeyRequirement)]
        parameters = get_flat_params(self.dependant)
        known = [each.alias for each in parameters if isinstance(each.field_info, Query)]

        async def checked(request: Request) -> Response:
            for requirement in requirements:
                await requirement(request, await BEARER(request))
            if problems := [*_unknown(request, known), *_unstorable(request)]:
                raise Invalid(problems)
            return await answer(JsonRequest(request.scope, request.receive))

        return checked


def _unknown(request: Request, known: list[str]) -> Iterator[FieldProblem]:
    for name in request.query_params:
        if name not in known:
            meant = get_close_matches(name, known, n=1)
            hint = f"did you mean {meant[0]}?" if meant else f"there are {', '.join(known) or 'none'}"
            yield FieldProblem(name, f"is not a parameter of this address; {hint}")


def _unstorable(request: Request) -> Iterator[FieldProblem]:
    for name, value in (*request.query_params.multi_items(), *request.path_params.items()):
        try:
            storable(str(value))
        except ValueError as wrong:
            yield FieldProblem(name, str(wrong))


def read_json(body: bytes) -> Any:
    """The value in a body. Raises ValueError, RecursionError, or a 413 where it holds too many values."""
    if _values_in(body) > MOST_VALUES and _values_in(JSON_TEXT.sub(b"", body)) > MOST_VALUES:
        raise HTTPException(413, f"A body holds at most {MOST_VALUES} values.")
    return json.loads(body)


def _values_in(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")
