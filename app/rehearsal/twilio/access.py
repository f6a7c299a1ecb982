"""Who may use the carrier's REST interface, and how it says no."""

from base64 import b64encode
from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.rehearsal.twilio.parameters import Refused


async def refusal(_: Request, problem: Exception) -> Response:
    """The carrier's error payload: ``code``, ``message``, ``more_info``, ``status``."""
    return _payload(problem if isinstance(problem, Refused) else Refused(400, 20001, str(problem)))


def _payload(problem: Refused) -> Response:
    return JSONResponse(
        {
            "code": problem.code,
            "message": problem.message,
            "more_info": f"https://www.twilio.com/docs/errors/{problem.code}",
            "status": problem.status,
        },
        problem.status,
    )


class OnlyTheAccount:
    """Lets requests pass that carry the account's own SID and token, and name no other account in their path."""

    def __init__(self, app: ASGIApp, account_sid: str, auth_token: str) -> None:
        self._app = app
        self._credentials = b"Basic " + b64encode(f"{account_sid}:{auth_token}".encode())
        self._paths = (f"/2010-04-01/Accounts/{account_sid}/", f"/2010-04-01/Accounts/{account_sid}.json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and not self._admits(scope):
            answer = _payload(Refused(401, 20003, "Authenticate"))
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("Authorization", "").encode("utf-8", "replace")
        path: str = scope["path"]
        ours = not path.startswith("/2010-04-01/Accounts/") or path.startswith(self._paths)
        return compare_digest(given, self._credentials) and ours
