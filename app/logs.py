"""Structured logs that never hold a phone number, a comment or a secret in clear."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE_KEYS = frozenset(
    {"phone", "to", "from", "from_", "address", "email", "name", "comment", "text", "body", "words", "digits"}
    | {
        "speech",
        "token",
        "secret",
        "password",
        "authorization",
        "auth_token",
        "key",
        "api_key",
        "database_url",
    }
)
HIDDEN = "[hidden]"
# A leading + or 00 with at least seven digits, however they are spaced; and anything that reads as an e-mail address.
NUMBER = re.compile(r"(?:\+|\b00)(?:[\s().-]?\d){7,15}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
URL_PASSWORD = re.compile(r"(://[^:/@\s]+:)[^@/\s]+@")


def hide(text: str) -> str:
    """The text with every phone number, e-mail address and password in a URL taken out."""
    text = URL_PASSWORD.sub(rf"\1{HIDDEN}@", text)
    return EMAIL.sub(HIDDEN, NUMBER.sub(HIDDEN, text))


def hide_private(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: private fields are replaced whole, everything else is searched."""
    for key, value in event.items():
        if key in PRIVATE_KEYS and value is not None:
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = hide(value)
    return event


def set_up(level: str) -> None:
    """Send our own logs and every library's through the same processors, one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_private,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_private,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "twilio", "procrastinate", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))
