"""Reports, exports and each survey's story over HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from app.errors import NotFound
from app.reports import exports, nps
from app.reports.nps import NpsRow
from app.reports.period import select
from app.reports.story import SurveyStatus, SurveyStory, read_story
from app.store import Pool
from app.store.nps_daily import GroupBy
from app.store.selection import Selection
from app.web import ApiRoute

CSV = "text/csv; charset=utf-8"
DAY: dict[str, Any] = {"format": "date"}
FILE: dict[str, Any] = {"type": "string", "format": "binary"}


def router(pool: Pool, export_pool: Pool, timezone: ZoneInfo, may_read: Any, may_follow: Any) -> APIRouter:
    """``may_read`` guards what supervisors see, ``may_follow`` the story of a single survey.

    Streams take their connections from ``export_pool``, so that slow downloads keep nobody else waiting.
    """
    routes = APIRouter(prefix="/api/v1", route_class=ApiRoute, tags=["reports"])

    def selected(
        queue: str | None = None,
        from_: Annotated[
            str | None,
            Query(alias="from", description="First day, such as 2026-11-01", json_schema_extra=DAY),
        ] = None,
        to: Annotated[str | None, Query(description="Last day, included", json_schema_extra=DAY)] = None,
    ) -> Selection:
        return select(queue, from_, to, timezone)

    Selected = Annotated[Selection, Depends(selected)]  # noqa: N806 - a type

    @routes.get("/reports/nps", dependencies=[Depends(may_read)])
    async def nps_report(selection: Selected, group_by: GroupBy = "queue") -> list[NpsRow]:
        """Each group's funnel, NPS and its 95% margin."""
        async with pool.connection() as connection:
            return await nps.nps(connection, group_by, selection)

    @routes.get(
        "/exports/nps.csv", dependencies=[Depends(may_read)], response_class=Response, responses=files(CSV)
    )
    async def nps_csv(selection: Selected, group_by: GroupBy = "queue") -> Response:
        """The report of ``/reports/nps`` as CSV, a row for each group."""
        async with pool.connection() as connection:
            rows = await nps.nps(connection, group_by, selection)
        return Response(exports.report_csv(rows), media_type=CSV, headers=_file("nps.csv"))

    @routes.get(
        "/exports/responses.{form}",
        dependencies=[Depends(may_read)],
        response_class=Response,
        responses=files(*(media_type for media_type, _ in exports.FORMATS.values())),
    )
    async def responses(form: exports.Form, selection: Selected) -> StreamingResponse:
        """Every response as CSV, JSON lines or a workbook, streamed row by row."""
        media_type, export = exports.FORMATS[form]

        async def stream() -> AsyncIterator[bytes]:
            async with export_pool.connection() as connection:
                async for block in export(connection, selection):
                    yield block

        return StreamingResponse(
            await begun(stream()), media_type=media_type, headers=_file(f"responses.{form}")
        )

    _add_story(routes, pool, may_follow)
    return routes


def _add_story(routes: APIRouter, pool: Pool, may_follow: Any) -> None:
    @routes.get("/surveys/{survey_id}", dependencies=[Depends(may_follow)])
    async def survey(
        survey_id: UUID, scope: Annotated[str, Depends(may_follow)]
    ) -> SurveyStory | SurveyStatus:
        """Everything that happened with one survey: decision, attempts, turns and response.

        Whoever posts interactions (scope `trigger`) is told how far it has come, and nothing that anybody said.
        """
        async with pool.connection() as connection:
            story = await read_story(connection, survey_id)
        if story is None:
            raise NotFound("There is no such survey.")
        return story.as_status() if scope == "trigger" else story


async def begun(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same blocks, with the first already there: what goes wrong before it is answered as a problem."""
    first = await anext(blocks, b"")

    async def again() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return again()


def files(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """How a download is described."""
    content = {media_type.partition(";")[0]: {"schema": FILE} for media_type in media_types}
    return {200: {"description": "The file.", "content": content}}


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
