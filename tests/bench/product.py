"""``zeroten serve`` with one route more: a POST that reads its body and answers an empty 200."""

import sys

import uvloop
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import logs
from app.main import create_app
from app.process import Address, serve, working
from app.settings import Settings
from app.wiring import running

PATH = "/measured/no-op"


async def no_op(request: Request) -> Response:
    """The least that a webhook could do."""
    await request.body()
    return Response()


async def run(settings: Settings, address: Address) -> None:
    """Serve until told to stop."""
    async with running(settings) as services, working(services):
        app = create_app(services)
        # In front of all others, so that finding it costs nothing.
        app.router.routes.insert(0, Route(PATH, no_op, methods=["POST"]))
        await serve(app, address)


if __name__ == "__main__":
    ours = Settings()
    logs.set_up(ours.log_level)
    uvloop.run(run(ours, ("127.0.0.1", int(sys.argv[-1]))))
