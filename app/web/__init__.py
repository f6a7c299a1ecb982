"""What every route leans on: problems, access by key, guarded requests to the outside, the shared assets of pages."""

from app.web.access import SCOPES, ApiKeys, Scope
from app.web.outgoing import (
    LARGEST_REPLY,
    GuardedHttp,
    HttpReply,
    ReplyTooLarge,
    UnsafeUrl,
    public_addresses,
    tls,
)

__all__ = [
    "LARGEST_REPLY",
    "SCOPES",
    "ApiKeys",
    "GuardedHttp",
    "HttpReply",
    "ReplyTooLarge",
    "Scope",
    "UnsafeUrl",
    "public_addresses",
    "tls",
]
