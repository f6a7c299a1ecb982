"""Twilio's request signature: https://www.twilio.com/docs/usage/security."""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from app.errors import Forbidden, StartError
from app.text import mended

Form = Mapping[str, str] | Iterable[tuple[str, str]]

# Twilio sends about thirty.
MOST_FIELDS = 200
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def sign(url: str, form: Form, token: str) -> str:
    """The ``X-Twilio-Signature`` of a request to ``url`` (whole, with its query) that posts ``form``."""
    return _signature(url + _form_text(form), token.encode()).decode("ascii")


def _form_text(form: Form) -> str:
    pairs = form.items() if isinstance(form, Mapping) else form
    return "".join([name + value for name, value in sorted(set(pairs))])


def _signature(text: str, token: bytes) -> bytes:
    return b64encode(hmac.digest(token, text.encode("utf-8", "surrogatepass"), "sha1"))


def _spellings(url: str) -> tuple[str, ...]:
    """The URL with and without its port: Twilio has signed either."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise StartError("ZEROTEN_PUBLIC_URL: must be an http or https address")
    host = parts.netloc.removesuffix(f":{parts.port}")
    ported = f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
    others = (parts._replace(netloc=netloc).geturl() for netloc in (host, ported))
    return tuple(dict.fromkeys((url, *others)))


class SignatureChecker:
    """Says whether a request was signed by the account.

    ``auth_tokens`` are the account's token and, while it is being changed, the one before; without any,
    nothing passes. ``public_url`` is the address Twilio was given, perhaps with a path: what a proxy made of
    the request's own host and scheme is of no interest. ``path_with_query`` is what follows it, as it stood
    in the request.
    """

    def __init__(self, auth_tokens: Iterable[str], public_url: str) -> None:
        self._tokens = tuple(token.encode() for token in auth_tokens if token)
        base = public_url.rstrip("/")
        self._web = _spellings(base)
        self._socket = _spellings("ws" + base.removeprefix("http"))

    def check(self, path_with_query: str, form: Form, signature: str | None) -> bool:
        """Whether ``signature`` is that of this form post; a repeated field is given as pairs."""
        return self._matches(self._web, path_with_query + _form_text(form), signature)

    def check_handshake(self, path_with_query: str, signature: str | None) -> bool:
        """Whether ``signature`` is that of this WebSocket handshake."""
        return self._matches(self._socket, path_with_query, signature)

    def _matches(self, bases: tuple[str, ...], rest: str, signature: str | None) -> bool:
        if not signature:
            return False
        given = signature.encode("utf-8", "replace")
        return any(
            hmac.compare_digest(_signature(base + rest, token), given)
            for base in bases
            for token in self._tokens
        )


async def signed_form(request: Request, signatures: SignatureChecker) -> dict[str, str]:
    """The signed form, or `Forbidden`: unread where no signature came.

    Read by hand, since the framework's form parser costs more than a turn.
    """
    signature = request.headers.get("x-twilio-signature")
    if not signature:
        raise Forbidden("There is no X-Twilio-Signature.")
    pairs = _pairs(await request.body())
    path, query = (request.scope[name].decode("latin-1") for name in ("raw_path", "query_string"))
    address = f"{path}?{query}" if query else path
    if not signatures.check(address, pairs, signature):
        raise Forbidden("The signature does not fit; see ZEROTEN_PUBLIC_URL and ZEROTEN_TWILIO_AUTH_TOKEN.")
    return {name: mended(value) for name, value in pairs}


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Forbidden(f"A signed form has at most {MOST_FIELDS} fields.") from None
