"""A headless Chromium, driven over its DevTools protocol."""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
PATIENCE_SECONDS = 15.0
NAMED_KEYS: dict[str, tuple[int, str | None]] = {
    "Enter": (13, "\r"),
    "Escape": (27, None),
    "Tab": (9, "\t"),
    "ArrowLeft": (37, None),
    "ArrowRight": (39, None),
}


class Page:
    """One tab. ``problems`` collects every uncaught error and every failed load."""

    def __init__(self, socket: ClientConnection) -> None:
        self.problems: list[str] = []
        self._socket = socket
        self._session: dict[str, str] = {}
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Sort what the browser sends into replies and problems, until it is closed."""
        async for raw in self._socket:
            message = json.loads(raw)
            if "id" in message:
                self._replies.pop(message["id"]).set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.problems.append(details.get("exception", {}).get("description", details["text"]))
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                entry = message["params"]["entry"]
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")

    async def send(self, method: str, **params: object) -> dict[str, Any]:
        """One DevTools command and its result."""
        number = next(self._ids)
        self._replies[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(
            json.dumps({"id": number, "method": method, "params": params, **self._session})
        )
        reply = await asyncio.wait_for(self._replies[number], PATIENCE_SECONDS)
        assert "error" not in reply, (method, reply)
        result: dict[str, Any] = reply["result"]
        return result

    async def open_tab(self) -> None:
        """A new tab, with the domains that report problems switched on."""
        target = await self.send("Target.createTarget", url="about:blank")
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log"):
            await self.send(f"{domain}.enable")

    async def look(self, width: int, height: int, *, dark: bool = False, still: bool = False) -> None:
        """The size of the window and what its reader prefers."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def goto(self, url: str) -> None:
        """Load an address."""
        await self.send("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        result = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, (expression, result)
        return result["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait for an expression to be true."""
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not await self.evaluate(f"Boolean({expression})"):
            assert asyncio.get_running_loop().time() < end, f"waited in vain for {expression}"
            await asyncio.sleep(0.03)

    async def click(self, selector: str) -> None:
        """A real click, in the middle of what the selector finds."""
        x, y = await self.evaluate(
            f"(() => {{ const at = document.querySelector({json.dumps(selector)}); "
            "at.scrollIntoView({block: 'nearest'}); const box = at.getBoundingClientRect(); "
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def press(self, key: str) -> None:
        """One key of the keyboard."""
        code, text = NAMED_KEYS.get(key) or (ord(key), key)
        named = {"key": key, "windowsVirtualKeyCode": code}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **named, **({"text": text} if text else {}))
        await self.send("Input.dispatchKeyEvent", type="keyUp", **named)

    async def write(self, text: str) -> None:
        """Text into what has the focus."""
        await self.send("Input.insertText", text=text)

    async def picture(self, *, whole: bool = True) -> bytes:
        """A screenshot, as a PNG."""
        shot = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])


async def _address(profile: Path) -> str:
    """Where the browser listens, once it has said so in its profile."""
    for _ in range(600):
        with suppress(OSError, ValueError):
            port, path = (profile / "DevToolsActivePort").read_text().split()
            return f"ws://127.0.0.1:{port}{path}"
        await asyncio.sleep(0.05)
    raise TimeoutError("Chromium did not open its DevTools")


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """A tab of a fresh browser, gone with its profile when the block ends."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        program = await asyncio.create_subprocess_exec(
            PROGRAM,
            *FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with connect(await _address(Path(profile)), max_size=None, proxy=None) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                await page.open_tab()
                yield page
                with suppress(Exception):
                    await page.send("Browser.close")
                listening.cancel()
        finally:
            if program.returncode is None:
                program.terminate()
            await program.wait()
