"""What every route leans on: problems, access by key, guarded requests to the outside, the shared assets of pages."""

from app.web.access import SCOPES, ApiKeys, KeyRequirement, Scope
from app.web.connections import Connection
from app.web.limits import Limits, largest_body
from app.web.outgoing import (
    LARGEST_REPLY,
    GuardedHttp,
    HttpReply,
    ReplyTooLarge,
    UnsafeUrl,
    public_addresses,
    tls,
)
from app.web.requests import Requests
from app.web.routing import ApiRoute, read_json
from app.web.throttle import Throttle
from app.web.times import IsoTime

__all__ = [
    "LARGEST_REPLY",
    "SCOPES",
    "ApiKeys",
    "ApiRoute",
    "Connection",
    "GuardedHttp",
    "HttpReply",
    "IsoTime",
    "KeyRequirement",
    "Limits",
    "ReplyTooLarge",
    "Requests",
    "Scope",
    "Throttle",
    "UnsafeUrl",
    "largest_body",
    "public_addresses",
    "read_json",
    "tls",
]
