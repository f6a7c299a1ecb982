"""``zeroten serve`` with one route more: a POST that reads its body and answers an empty 200."""

import argparse
from pathlib import Path

import uvloop
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import logs
from app.config import Settings
from app.main import create_app
from app.process import Address, serve, working
from app.services import running
from tests.bench.sampling import sample_when_told

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


def main() -> None:
    """Serve at ``--port``; with ``--samples``, tell where the time goes when asked for it."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--samples", type=Path)
    given = options.parse_args()
    settings = Settings()
    logs.set_up(settings.log_level)
    if given.samples is not None:
        sample_when_told(given.samples)
    uvloop.run(run(settings, ("127.0.0.1", given.port)))


if __name__ == "__main__":
    main()
