"""What follows an answer: every response is announced to the operator's own systems."""

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from standardwebhooks import Webhook

from app.errors import StartError, ZerotenError
from app.outgoing import Outgoing, UnsafeUrl
from app.store import Pool, responses

log = structlog.get_logger(__name__)
SHORTEST_SECRET = 24  # bytes, as the convention asks


class DeliveryFailed(ZerotenError):
    """The receiver did not take it; worth another try."""

    code = "delivery_failed"
    retryable = True


@dataclass(frozen=True)
class Announcements:
    """Posts finished and partial responses to ``url``, signed under the Standard Webhooks convention."""

    pool: Pool
    outgoing: Outgoing
    url: str
    secret: str

    def __post_init__(self) -> None:
        if not _can_sign(self.secret):
            raise StartError("ZEROTEN_WEBHOOK_SECRET must be whsec_ and 24 or more random bytes in base64")

    async def announce(self, survey_id: UUID, kind: str | None = None) -> None:
        """Announce one response; its message id is the same however often this is repeated.

        ``kind`` is for what happens to it later, such as ``response.updated``; else its survey's status tells.

        Raises `DeliveryFailed` where another try may help; a receiver that says no (3xx, 4xx) is not asked again.
        """
        async with self.pool.connection() as connection:
            told = await responses.tell(connection, survey_id)
        if told is None:
            return
        status, data = told
        kind = kind or ("response.completed" if status == "completed" else "response.partial")
        now = datetime.now(UTC)
        body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
        try:
            answer = await self._post(f"{survey_id}.{kind}", now, body)
        except UnsafeUrl as unsafe:
            log.error("webhook_unsafe", survey_id=str(survey_id), error=str(unsafe))  # noqa: TRY400 - expected
            return
        if answer in (408, 429) or answer >= 500:
            raise DeliveryFailed(f"the webhook's receiver answered {answer}")
        if answer >= 300:
            log.error("webhook_refused", survey_id=str(survey_id), status=answer)

    async def _post(self, message_id: str, now: datetime, body: str) -> int:
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, now, body),
        }
        return await self.outgoing.post(self.url, body.encode(), headers)


def _can_sign(secret: str) -> bool:
    if not secret.startswith("whsec_"):
        return False
    try:
        return len(b64decode(secret.removeprefix("whsec_") + "==")) >= SHORTEST_SECRET
    except ValueError:
        return False
