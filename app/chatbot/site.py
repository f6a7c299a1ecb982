"""What a site takes from us: the widget's script, a page that hosts it, and leave to talk across origins."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.chatbot.accepted_language import preferred
from app.chatbot.chat import Chats

HERE = Path(__file__).parent
SCRIPT = HERE / "static" / "widget.js"
SCRIPT_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
STYLE = "main { max-width: 560px; margin: 0 auto; padding: clamp(16px, 12vh, 128px) 16px 32px; }"
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{STYLE_HASH}';"
    " font-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
ACROSS_ORIGINS = ("/webhooks/rest", "/widget.js")
A_DAY = 24 * 3600
PAGES = Environment(
    loader=FileSystemLoader(HERE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Origins:
    """The sites whose pages may talk to the chat; ``*`` lets every site."""

    def __init__(self, allowed: str, public_url: str) -> None:
        self.allowed = tuple(each for each in allowed.split(",") if each)
        self._ours = urlsplit(public_url)

    def admit(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this origin may connect; pages of our own always may, and what is no page has no origin."""
        if origin is None or origin in self.allowed or "*" in self.allowed:
            return True
        parts = urlsplit(origin)
        return parts.netloc == host or (parts.scheme, parts.netloc) == (self._ours.scheme, self._ours.netloc)


class AcrossOrigins:
    """Answers the browser's questions about other origins, for the chat alone."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self.app = app
        self.chat = CORSMiddleware(
            app,
            allow_origins=origins.allowed,
            allow_methods=("GET", "POST"),
            allow_headers=("content-type",),
            expose_headers=("retry-after",),
            max_age=A_DAY,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chat = scope["type"] == "http" and scope["path"].startswith(ACROSS_ORIGINS)
        await (self.chat if chat else self.app)(scope, receive, send)


def router(chats: Chats) -> APIRouter:
    """The script and the page. Neither writes anything, so that what scans links counts as nobody."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/widget.js")
    async def script() -> FileResponse:
        return FileResponse(SCRIPT, media_type="text/javascript", headers=SCRIPT_HEADERS)

    @routes.get("/chat/{token}")
    async def page(token: str, request: Request) -> HTMLResponse:
        wording = chats.wording(preferred(request.headers.get("accept-language"), chats.flows.languages))
        shown = PAGES.get_template("page.html").render(
            token=token, locale=wording.locale, title=wording.labels["title"], style=STYLE
        )
        return HTMLResponse(shown, headers={**PAGE_HEADERS, "Vary": "Accept-Language"})

    return routes
