"""One question to the carrier: its answer, or the error that says what follows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from twilio.base.exceptions import TwilioException

from app.carrier.outcomes import error_for
from app.carrier.transport import Answered
from app.errors import CarrierBusy, CarrierError, CarrierMisconfigured, CarrierOutcomeUnknown

NOT_SENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NO_ANSWER = (httpx.HTTPError, TimeoutError)
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, TwilioException)

Said = TypeVar("Said")
Read = TypeVar("Read")


async def ask(
    request: Awaitable[Said], read: Callable[[Said], Read], *, repeatable: bool, deadline_seconds: float
) -> Read:
    """What ``read`` makes of the answer to ``request``; else a `CarrierError`.

    ``repeatable`` says that the request may be sent again without doing anything twice. The error is raised
    after the handlers, so that it carries no trace of the original, which holds the request.
    """
    try:
        async with asyncio.timeout(deadline_seconds):
            return read(await request)
    except Answered as answer:
        failure = error_for(answer.status, answer.code, repeatable=repeatable)
    except NOT_SENDABLE as error:
        failure = CarrierMisconfigured(f"the request cannot be sent ({type(error).__name__})")
    except NOTHING_SENT as error:
        failure = CarrierBusy(f"the carrier cannot be reached ({type(error).__name__})")
    except NO_ANSWER as error:
        failure = _unsure(f"the carrier did not answer ({type(error).__name__})", repeatable=repeatable)
    except UNREADABLE as error:
        failure = _unsure(
            f"the carrier's answer is unreadable ({type(error).__name__})", repeatable=repeatable
        )
    raise failure


def _unsure(message: str, *, repeatable: bool) -> CarrierError:
    return CarrierBusy(message) if repeatable else CarrierOutcomeUnknown(message)
