"""monday.com's GraphQL, whose errors mostly come with HTTP 200, and beside what was carried out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.crm.api import Api, ApiReply, retry_after
from app.crm.table import after_a_while, unquoted
from app.errors import CrmBusy, CrmError, CrmMisconfigured, CrmRefused, NoRecord

WITH_ERRORS = (400, 401, 403, 404, 423, 429, 500, 503)
UNTIL_DONE_SECONDS = 60.0  # a call is ended after that, heard of or not
DAY_SECONDS = 3600.0  # the day's calls are used up: until midnight, asked for now and then
TOO_FAST = frozenset(
    {
        "ComplexityException",
        "COMPLEXITY_BUDGET_EXHAUSTED",
        "FIELD_LIMIT_EXCEEDED",
        "FIELD_MINUTE_RATE_LIMIT_EXCEEDED",
        "IP_RATE_LIMIT_EXCEEDED",
        "maxConcurrencyExceeded",
        "DAILY_LIMIT_EXCEEDED",
    }
)
OURS_TO_MEND = frozenset(
    {
        "UserUnauthorizedException",
        "USER_UNAUTHORIZED",
        "NotAuthenticated",
        "InvalidBoardIdException",
        "InvalidColumnIdException",
        "missingRequiredPermissions",
        "GRAPHQL_VALIDATION_FAILED",
        "undefinedField",
    }
)
GONE = frozenset({"ResourceNotFoundException", "InvalidItemIdException"})


@dataclass(frozen=True)
class Problem:
    """One error of an answer. ``part`` is the alias of the part of the request that it is about, if of one."""

    code: str
    words: str
    status: int
    retry_in: float | None = None
    part: str | None = None


@dataclass(frozen=True)
class QueryResult:
    """What came of a request: the data of each part that was carried out, and what went wrong with the others."""

    data: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


async def ask(api: Api, query: str, variables: Mapping[str, Any]) -> QueryResult:
    """Send once. Raises `CrmBusy` where nothing was answered; all other trouble is in what it gives."""
    try:
        said = await api.call("POST", "", {"query": query, "variables": variables}, expect=WITH_ERRORS)
    except CrmBusy as busy:
        raise after_a_while(busy, unheard=UNTIL_DONE_SECONDS) from None
    content = said.json if isinstance(said.json, dict) else {}
    data = content.get("data")
    done = {name: each for name, each in data.items() if each is not None} if isinstance(data, dict) else {}
    problems = tuple(_problems(said, content))
    if said.status >= 400 and not problems:
        problems = (Problem("", "", said.status, retry_after(said.headers)),)
    return QueryResult(done, problems)


def error(problem: Problem, *, changing: bool = False) -> CrmError:
    """What follows from a problem; ``changing`` says that it was met in changing an item that was there."""
    status = problem.status if problem.status >= 400 else None
    told = f"monday answered {problem.code or problem.status}: {unquoted(problem.words)}".removesuffix(": ")
    if problem.retry_in is not None or problem.code in TOO_FAST or problem.status in (408, 423, 429):
        wait = DAY_SECONDS if problem.code == "DAILY_LIMIT_EXCEEDED" else UNTIL_DONE_SECONDS
        return CrmBusy(told, status, problem.retry_in if problem.retry_in is not None else wait)
    if problem.status >= 500:
        return CrmBusy(told, status)
    if problem.code in GONE or problem.status == 404:
        return NoRecord(told, status) if changing else CrmMisconfigured(told, status)
    if problem.code in OURS_TO_MEND or problem.status in (401, 403):
        return CrmMisconfigured(told, status)
    return CrmRefused(told, status)


def _problems(said: ApiReply, content: Mapping[str, Any]) -> Iterator[Problem]:
    """Errors stand in a list, each with extensions; some older ones are the whole answer."""
    waiting = retry_after(said.headers)
    for told in content.get("errors") or ():
        each: dict[str, Any] = told if isinstance(told, dict) else {"message": str(told)}
        more = each.get("extensions") or {}
        path = each.get("path") or ()
        yield Problem(
            code=str(more.get("code") or content.get("error_code") or ""),
            words=str(each.get("message") or ""),
            status=_status(said, more),
            retry_in=_seconds(more.get("retry_in_seconds"), waiting),
            part=str(path[0]) if path else None,
        )
    if content.get("error_code") and not content.get("errors"):
        more = content.get("error_data") or {}
        words = str(content.get("error_message") or "")
        retry_in = _seconds(more.get("retry_in_seconds"), waiting)
        yield Problem(str(content["error_code"]), words, _status(said, content), retry_in)


def _status(said: ApiReply, more: Mapping[str, Any]) -> int:
    """The error's own status, where the answer's is 200."""
    told = more.get("status_code")
    return told if said.status == 200 and isinstance(told, int) else said.status


def _seconds(given: Any, otherwise: float | None) -> float | None:
    return float(given) if isinstance(given, int | float) else otherwise
