"""What each queue does differently: GET and PUT /api/v1/queues/{name}."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import StringConstraints

from app.config import QueueOverrides, Settings, checked
from app.errors import FieldProblem, Invalid
from app.store import Pool, queues
from app.text import Text
from app.web import ApiRoute

QueueName = Annotated[
    Text,
    StringConstraints(strip_whitespace=True),
    Path(min_length=1, max_length=200, description="The queue."),
]


def router(pool: Pool, settings: Settings, flows: Collection[str], may_administer: Any) -> APIRouter:
    """The endpoints, for administrators; a queue may ask one of ``flows``."""
    routes = APIRouter(
        prefix="/api/v1/queues", route_class=ApiRoute, tags=["queues"], dependencies=[Depends(may_administer)]
    )

    @routes.get("/{name:path}")
    async def read(name: QueueName) -> dict[str, Any]:
        """The queue's own settings; what it does not override is the deployment's."""
        async with pool.connection() as connection:
            return await queues.read(connection, name)

    @routes.put("/{name:path}")
    async def write(name: QueueName, overrides: QueueOverrides) -> dict[str, Any]:
        """Replace the queue's own settings."""
        own = checked(settings, overrides)
        if "flow" in own and own["flow"] not in flows:
            raise Invalid([FieldProblem("flow", f"must be one of {', '.join(sorted(flows))}")])
        async with pool.connection() as connection:
            await queues.write(connection, name, own)
        return own

    return routes
