"""A webhook of the carrier's, checked and read."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from app.carrier.signature import SignatureChecker
from app.errors import Forbidden


async def signed_form(request: Request, signatures: SignatureChecker) -> dict[str, str]:
    """The signed form, or `Forbidden`. Read by hand: the framework's form parser costs more than a turn."""
    pairs = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    path, query = (request.scope[name].decode("latin-1") for name in ("raw_path", "query_string"))
    address = f"{path}?{query}" if query else path
    if not signatures.check(address, pairs, request.headers.get("x-twilio-signature")):
        raise Forbidden("The signature does not fit; see ZEROTEN_PUBLIC_URL and ZEROTEN_TWILIO_AUTH_TOKEN.")
    # The database has no place for NUL in a text.
    return {name: value.replace("\0", "") for name, value in pairs}
