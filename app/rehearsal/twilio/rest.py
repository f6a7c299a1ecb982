"""The carrier's REST interface, as much of it as the product uses: calls, messages, recordings."""

from base64 import b64encode
from hmac import compare_digest

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.rehearsal.twilio.call import Call
from app.rehearsal.twilio.carrier import RehearsedCarrier
from app.rehearsal.twilio.control import control_routes
from app.rehearsal.twilio.faults import Faults
from app.rehearsal.twilio.parameters import Parameters, RequestRefused, call_request, matches, message, source
from app.rehearsal.twilio.recordings import CarrierRecording, audio
from app.rehearsal.twilio.resources import show_account, show_call, show_message, show_page, show_recording
from app.rehearsal.twilio.verbs import Inline

ACCOUNT = "/2010-04-01/Accounts/{account}"


def rest_app(carrier: RehearsedCarrier) -> Starlette:
    """The carrier as a web application; every route wants HTTP Basic with its account SID and auth token."""
    rest = _Rest(carrier)
    return Starlette(
        routes=[
            Route(f"{ACCOUNT}.json", rest.fetch_account),
            Route(f"{ACCOUNT}/Calls.json", rest.place_call, methods=["POST"]),
            Route(f"{ACCOUNT}/Calls.json", rest.list_calls),
            Route(f"{ACCOUNT}/Calls/{{sid}}.json", rest.update_call, methods=["POST"]),
            Route(f"{ACCOUNT}/Calls/{{sid}}.json", rest.fetch_call),
            Route(f"{ACCOUNT}/Calls/{{sid}}/Recordings.json", rest.list_recordings),
            Route(f"{ACCOUNT}/Messages.json", rest.send_message, methods=["POST"]),
            Route(f"{ACCOUNT}/Messages.json", rest.list_messages),
            Route(f"{ACCOUNT}/Messages/{{sid}}.json", rest.fetch_message),
            Route(f"{ACCOUNT}/Recordings.json", rest.list_recordings),
            Route(f"{ACCOUNT}/Recordings/{{name}}", rest.delete_recording, methods=["DELETE"]),
            Route(f"{ACCOUNT}/Recordings/{{name}}", rest.fetch_recording),
            *carrier.conversations.routes(),
            *control_routes(carrier),
        ],
        middleware=[
            Middleware(OnlyTheAccount, account_sid=carrier.account_sid, auth_token=carrier.auth_token)
        ],
        exception_handlers={RequestRefused: refusal, ValueError: refusal, 404: _no_such_path},
    )


class _Rest:
    def __init__(self, carrier: RehearsedCarrier) -> None:
        self.carrier, self.account = carrier, carrier.account_sid

    async def fetch_account(self, _: Request) -> Response:
        return JSONResponse(show_account(self.account))

    async def place_call(self, request: Request) -> Response:
        wanted = call_request(await _form(request))
        faults = self.carrier.fault_plan.take(wanted.to)
        _refuse_first(faults)
        call = self.carrier.place(wanted, faults)
        await _trouble_after(faults, request)
        return JSONResponse(show_call(call, self.account), 201)

    async def list_calls(self, request: Request) -> Response:
        query = Parameters(request.url.query).flat()
        found = self.carrier.calls.find(lambda call: matches(call, query))
        page = show_page("calls", found, lambda call: show_call(call, self.account), request.url.path, query)
        return JSONResponse(page)

    async def fetch_call(self, request: Request) -> Response:
        return JSONResponse(show_call(self._call(request), self.account))

    async def update_call(self, request: Request) -> Response:
        call, form = self._call(request), await _form(request)
        status = form.get("Status")
        if status not in {"", "completed", "canceled"}:
            raise RequestRefused(400, 20001, f"Invalid Status: {status}")
        if call.over:
            raise RequestRefused(400, 21220, "Call is not in-progress. Cannot redirect.")
        if not status:
            self._redirect(call, form)
        elif status == "completed" or call.status != "in-progress":
            self.carrier.end(call)
        return JSONResponse(show_call(call, self.account))

    def _redirect(self, call: Call, form: Parameters) -> None:
        following = source(form)
        if isinstance(following, Inline) and not following.twiml:
            return
        if call.status != "in-progress":
            raise RequestRefused(400, 21220, "Call is not in-progress. Cannot redirect.")
        self.carrier.redirect(call, following)

    async def send_message(self, request: Request) -> Response:
        wanted = message(await _form(request))
        faults = self.carrier.fault_plan.take(wanted.to)
        _refuse_first(faults)
        self.carrier.send(wanted, faults)
        await _trouble_after(faults, request)
        return JSONResponse(show_message(wanted, self.account), 201)

    async def list_messages(self, request: Request) -> Response:
        query = Parameters(request.url.query).flat()
        found = [
            message
            for message in self.carrier.messages
            if query.get("To", message.to) == message.to and query.get("From", message.from_) == message.from_
        ]
        page = show_page(
            "messages", found, lambda each: show_message(each, self.account), request.url.path, query
        )
        return JSONResponse(page)

    async def fetch_message(self, request: Request) -> Response:
        found = self.carrier.messages.get(request.path_params["sid"])
        if found is None:
            raise _missing(request)
        return JSONResponse(show_message(found, self.account))

    async def list_recordings(self, request: Request) -> Response:
        query = Parameters(request.url.query).flat()
        wanted = request.path_params.get("sid") or query.get("CallSid")
        found = [each for each in self.carrier.recordings if wanted in {None, each.call_sid}]
        return JSONResponse(show_page("recordings", found, self._show_recording, request.url.path, query))

    async def fetch_recording(self, request: Request) -> Response:
        sid, _, kind = request.path_params["name"].partition(".")
        recording = self.carrier.recordings.get(sid)
        if recording is None or kind not in {"", "wav", "json"}:
            raise _missing(request)
        if kind == "json":
            return JSONResponse(self._show_recording(recording))
        return Response(audio(recording), media_type="audio/x-wav")

    async def delete_recording(self, request: Request) -> Response:
        sid = request.path_params["name"].partition(".")[0]
        if not self.carrier.recordings.delete(sid):
            raise _missing(request)
        return Response(status_code=204)

    def _show_recording(self, recording: CarrierRecording) -> dict[str, object]:
        return show_recording(recording, self.account, self.carrier.recordings.url(recording))

    def _call(self, request: Request) -> Call:
        call = self.carrier.calls.get(request.path_params["sid"])
        if call is None:
            raise _missing(request)
        return call


async def _form(request: Request) -> Parameters:
    return Parameters((await request.body()).decode())


def _missing(request: Request) -> RequestRefused:
    return RequestRefused(404, 20404, f"The requested resource {request.url.path} was not found")


async def _no_such_path(request: Request, _: Exception) -> Response:
    return await refusal(request, _missing(request))


def _refuse_first(faults: Faults) -> None:
    """The troubles in which nothing is carried out."""
    match faults.rest:
        case "too_many_requests":
            raise RequestRefused(429, 20429, "Too Many Requests")
        case "breaks":
            raise RequestRefused(500, 20500, "An internal server error has occurred")
        case "refuses":
            raise RequestRefused(400, faults.refusal, "The request was refused")
        case _:
            pass


async def _trouble_after(faults: Faults, request: Request) -> None:
    """The troubles in which it was carried out, and the one who asked cannot know."""
    match faults.rest:
        case "breaks_afterwards":
            raise RequestRefused(500, 20500, "An internal server error has occurred")
        case "never_answers":
            while (await request.receive())["type"] != "http.disconnect":
                pass
        case _:
            pass


async def refusal(_: Request, problem: Exception) -> Response:
    """The carrier's error payload: ``code``, ``message``, ``more_info``, ``status``."""
    return _payload(
        problem if isinstance(problem, RequestRefused) else RequestRefused(400, 20001, str(problem))
    )


def _payload(problem: RequestRefused) -> Response:
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
            answer = _payload(RequestRefused(401, 20003, "Authenticate"))
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("Authorization", "").encode("utf-8", "replace")
        path: str = scope["path"]
        ours = not path.startswith("/2010-04-01/Accounts/") or path.startswith(self._paths)
        return compare_digest(given, self._credentials) and ours
