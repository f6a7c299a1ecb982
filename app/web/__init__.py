"""What every route leans on: problems, access by key, guarded requests to the outside, the shared assets of pages."""

from app.web.access import SCOPES, ApiKeys, KeyRequirement, Scope
from app.web.outgoing import (
    LARGEST_REPLY,
    GuardedHttp,
    HttpReply,
    ReplyTooLarge,
    UnsafeUrl,
    public_addresses,
    tls,
)
from app.web.throttle import Throttle

__all__ = [
    "LARGEST_REPLY",
    "SCOPES",
    "ApiKeys",
    "GuardedHttp",
    "HttpReply",
    "KeyRequirement",
    "ReplyTooLarge",
    "Scope",
    "Throttle",
    "UnsafeUrl",
    "public_addresses",
    "tls",
]
