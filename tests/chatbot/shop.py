"""A shop's page, on an origin of its own, that holds a chat widget."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from app.rehearsal.twilio import serving
from tests.demo.chromium import Page

IN_SHADOW = "document.querySelector('zeroten-survey')?.shadowRoot"


@dataclass
class Shop:
    """Serves ``html`` at /, and files by name."""

    address: str
    html: str = ""
    files: dict[str, Path] = field(default_factory=dict)

    async def page(self, _: Request) -> Response:
        """The page."""
        return HTMLResponse(self.html)

    async def file(self, request: Request) -> Response:
        """A file of the shop's."""
        name = request.path_params["name"]
        return FileResponse(self.files[name]) if name in self.files else Response(status_code=204)

    def show(self, *scripts: str, style: str = "", before: str = "<h1>Shop</h1>") -> None:
        """A page with these scripts at its end."""
        self.html = (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>Shop</title><style>{style}</style><body>{before}{''.join(scripts)}</body></html>"
        )


@asynccontextmanager
async def opened_shop() -> AsyncIterator[Shop]:
    """A shop for as long as the block lasts."""
    with closing(serving.listen()) as listening:
        shop = Shop(f"http://127.0.0.1:{listening.getsockname()[1]}")
        app = Starlette(routes=[Route("/", shop.page), Route("/{name:path}", shop.file)])
        async with serving.served(app, listening):
            yield shop


@dataclass
class Widget:
    """Our widget in a page, looked at through its shadow root."""

    page: Page

    def at(self, selector: str) -> str:
        """An expression for what the selector finds."""
        return f"{IN_SHADOW}?.querySelector({json.dumps(selector)})"

    async def until(self, selector: str) -> None:
        """Wait until the selector finds something."""
        await self.page.until(self.at(selector))

    async def click(self, selector: str) -> None:
        """A real click, in the middle of it."""
        await self.until(selector)
        x, y = await self.page.evaluate(
            f"(() => {{ const at = {self.at(selector)}; at.scrollIntoView({{block: 'nearest'}}); "
            "const box = at.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.page.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def score(self, number: int) -> None:
        """Press a score."""
        await self.click(f".scale button:nth-child({number + 1})")

    async def text(self, selector: str = ".said") -> str:
        """What stands there."""
        return str(await self.page.evaluate(f"{self.at(selector)}?.innerText ?? ''"))

    async def says(self, words: str) -> None:
        """Wait until these words are said."""
        await self.page.until(f"{self.at('.said')}?.innerText.includes({json.dumps(words)})")

    async def all(self, selector: str, expression: str) -> Any:
        """An expression of ``each``, for all that the selector finds."""
        return await self.page.evaluate(
            f"[...{IN_SHADOW}.querySelectorAll({json.dumps(selector)})].map((each) => {expression})"
        )

    async def tab_to(self, selector: str) -> None:
        """Walk there with the Tab key, as many steps as it takes."""
        for _ in range(40):
            if await self.page.evaluate(
                f"{IN_SHADOW}?.activeElement?.matches({json.dumps(selector)}) ?? false"
            ):
                return
            await self.page.press("Tab")
            await asyncio.sleep(0)
        raise AssertionError(f"no way to {selector} by keyboard")
