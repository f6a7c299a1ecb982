"""What each queue does differently: GET and PUT /api/v1/queues/{name}."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from app.queue_settings import QueueOverrides
from app.settings import Settings
from app.store import Pool, queues

QueueName = Annotated[str, Path(min_length=1, max_length=200)]


def router(pool: Pool, settings: Settings, may_administer: Any) -> APIRouter:
    """The endpoints, for administrators."""
    routes = APIRouter(prefix="/api/v1/queues", tags=["queues"], dependencies=[Depends(may_administer)])

    @routes.get("/{name}")
    async def read(name: QueueName) -> dict[str, Any]:
        """The queue's own settings; what it does not override is the deployment's."""
        async with pool.connection() as connection:
            return await queues.read(connection, name)

    @routes.put("/{name}")
    async def write(name: QueueName, overrides: QueueOverrides) -> dict[str, Any]:
        """Replace the queue's own settings."""
        checked = overrides.checked(settings)
        async with pool.connection() as connection:
            await queues.write(connection, name, checked)
        return checked

    return routes
