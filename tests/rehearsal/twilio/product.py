"""A stand-in for the product: a web server that answers webhooks with hand-written TwiML and keeps what it was told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.rehearsal.twilio.serving import listen


@dataclass(frozen=True)
class Told:
    """One webhook: its path, method, form and headers, and the URL as it was asked for."""

    path: str
    method: str
    form: dict[str, str]
    headers: Mapping[str, str]
    url: str


@dataclass
class Product:
    """``documents`` by path; a path that has none answers 404, and one whose text is ``500`` breaks."""

    documents: dict[str, str] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    url: str = ""
    answers_after: float = 0.0

    async def answer(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        told = Told(request.url.path, request.method, form, request.headers, str(request.url))
        self.told.append(told)
        await asyncio.sleep(self.answers_after)
        document = self.documents.get(told.path)
        if document is None or document == "500":
            return Response(status_code=500 if document else 404)
        return Response(document, media_type="text/xml" if document.startswith("<") else "text/csv")

    def forms(self, path: str) -> list[dict[str, str]]:
        """The forms that were posted to this path, in the order of their arrival."""
        return [each.form for each in self.told if each.path == path]


@asynccontextmanager
async def running_product(product: Product) -> AsyncIterator[Product]:
    """The product on a port of its own."""
    app = Starlette(routes=[Route("/{path:path}", product.answer, methods=["GET", "POST"])])
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
    listening = listen()
    product.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield product
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listening.close()
