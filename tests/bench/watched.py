"""``zeroten serve`` that watches its own event loop: how late it was at each look, since it was last asked."""

import argparse
import asyncio

import uvloop
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import logs
from app.config import Settings
from app.main import create_app
from app.process import Address, serve, working
from app.services import running

PATH = "/measured/late"
LOOK_SECONDS = 0.005


class Watch:
    """Looks at the clock of its event loop every 5 ms."""

    def __init__(self) -> None:
        self._late: list[float] = []

    async def run(self) -> None:
        """Look until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LOOK_SECONDS)
            self._late.append(max(0.0, loop.time() - before - LOOK_SECONDS))

    async def told(self, _: Request) -> JSONResponse:
        """How late it was each time, in seconds; begins anew."""
        late, self._late = self._late, []
        return JSONResponse(late)


async def run(settings: Settings, address: Address) -> None:
    """Serve until told to stop."""
    watch = Watch()
    async with running(settings) as services, working(services):
        app = create_app(services)
        app.router.routes.insert(0, Route(PATH, watch.told))
        watching = asyncio.create_task(watch.run())
        await serve(app, address)
        watching.cancel()


def main() -> None:
    """Serve at ``--port``."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    settings = Settings()
    logs.set_up(settings.log_level)
    uvloop.run(run(settings, ("127.0.0.1", options.parse_args().port)))


if __name__ == "__main__":
    main()
