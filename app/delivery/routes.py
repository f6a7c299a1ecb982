"""Where responses were pushed to, over HTTP: how each destination does, what waits or was refused, and again."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.delivery.deliveries import Deliveries
from app.errors import FieldProblem, Invalid
from app.store import Pool, deliveries, destinations, pushes
from app.store.deliveries import Delivery
from app.store.destinations import DestinationStatus
from app.store.pushes import Push
from app.web import ApiRoute, IsoTime

NONE = "there is no destination; ZEROTEN_CRM_FILE or ZEROTEN_WEBHOOK_URL names them"
Status = Literal["waiting", "delivered", "refused"]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Since = Annotated[IsoTime | None, Query(description="Only what is newer, such as 2026-11-21T00:00:00Z.")]


class Replay(BaseModel):
    """What is to be pushed again: one survey's response, those answered since a time, or those that were refused."""

    model_config = ConfigDict(extra="forbid")

    destination: str = Field(description="Where to.")
    since: IsoTime | None = Field(None, description="Responses answered since then.")
    survey_id: UUID | None = Field(None, description="One response.")
    refused: bool = Field(False, description="Only those that were refused.")


class Replayed(BaseModel):
    """How many responses wait now to be pushed again."""

    waiting: int


def router(pool: Pool, pushing: Deliveries, may_read: Any, may_administer: Any) -> APIRouter:
    """The endpoints: supervisors see, administrators push again."""
    routes = APIRouter(prefix="/api/v1", route_class=ApiRoute, tags=["deliveries"])

    @routes.get("/destinations", dependencies=[Depends(may_read)])
    async def overview() -> list[DestinationStatus]:
        """How each destination does, and how much waits for it."""
        async with pool.connection() as connection:
            return await destinations.overview(connection, list(pushing.destinations))

    @routes.get("/deliveries", dependencies=[Depends(may_read)])
    async def find(
        destination: str | None = None,
        status: Status | None = None,
        survey_id: UUID | None = None,
        since: Since = None,
        limit: Limit = 100,
    ) -> list[Delivery]:
        """The newest deliveries, with why each waits or was refused."""
        async with pool.connection() as connection:
            return await deliveries.find(connection, destination, status, survey_id, since, limit)

    @routes.get("/deliveries/log", dependencies=[Depends(may_read)])
    async def log(
        destination: str | None = None,
        survey_id: UUID | None = None,
        since: Since = None,
        limit: Limit = 100,
    ) -> list[Push]:
        """Every push of the last 30 days, the newest first."""
        async with pool.connection() as connection:
            return await pushes.read_log(connection, destination, survey_id, since, limit)

    @routes.post("/deliveries:replay", status_code=202, dependencies=[Depends(may_administer)])
    async def replay(body: Replay) -> Replayed:
        """Push responses again. What a destination has already is brought up to date there, not doubled."""
        if body.destination not in pushing.destinations:
            known = f"must be one of {', '.join(pushing.destinations)}" if pushing.destinations else NONE
            raise Invalid([FieldProblem("destination", known)])
        if body.since is None and body.survey_id is None and not body.refused:
            raise Invalid([FieldProblem("since", "say since, survey_id or refused")])
        return Replayed(
            waiting=await pushing.replay(body.destination, body.since, body.survey_id, refused=body.refused)
        )

    return routes
