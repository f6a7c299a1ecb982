"""Structured logs that never hold a phone number, a comment or a secret in clear."""

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from app.errors import StartError

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
# Anybody may send what is searched here, so each of these takes a time that grows with the text and no faster: what
# repeats without an end gives nothing back (++), and begins only where the letter before it does not fit.
#
# A leading + (in an address: %2B) or 00 with at least seven digits, however they are spaced; and anything that reads
# as an e-mail address.
NUMBER = re.compile(r"(?:\+|%2B|(?<![\w-])00)(?:[\s().-]{0,2}\d){7,15}", re.IGNORECASE)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|%40)[\w-]++\.[\w.-]++", re.IGNORECASE)
# PostgreSQL quotes the row that it refuses, comment and all; a traceback may go on after it.
DATABASE_QUOTES = re.compile(
    r"^(DETAIL|CONTEXT):.*?(?=\n\n(?:The above exception|During handling)|\Z)", re.MULTILINE | re.DOTALL
)
URL_PASSWORD = re.compile(r"(://[^:/@\s]++:)[^@/\s]++@")


def hide(text: str) -> str:
    """The text with phone numbers, e-mail addresses, passwords in URLs and what the database quotes taken out."""
    text = DATABASE_QUOTES.sub(rf"\1: {HIDDEN}", URL_PASSWORD.sub(rf"\1{HIDDEN}@", text))
    return EMAIL.sub(HIDDEN, NUMBER.sub(HIDDEN, text))


def hide_private(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: private fields are replaced whole, everything else is searched, however deep."""
    for key, value in event.items():
        if not key.startswith("_"):  # structlog's own
            event[key] = _hidden(key, value)
    return event


def _hidden(key: str, value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value if value is None or key not in PRIVATE_KEYS else HIDDEN
        case _ if key in PRIVATE_KEYS:
            return HIDDEN
        case Mapping():
            return {name: _hidden(str(name), each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_hidden("", each) for each in value]
        case _:
            return hide(str(value))


def set_up(level: str) -> None:
    """Send our own logs and every library's through the same processors, one JSON object a line.

    Raises `StartError` where there is no such level.
    """
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise StartError("ZEROTEN_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
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
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
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
    root.setLevel(threshold)
    # These tell of requests, rows and packets whole, with all that is private in them.
    for chatty in (
        "httpx",
        "httpcore",
        "twilio",
        "procrastinate",
        "uvicorn",
        "engineio",
        "socketio",
        "websockets",
    ):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, threshold))
