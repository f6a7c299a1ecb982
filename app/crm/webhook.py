"""A signed webhook, for everything else: Standard Webhooks headers, and the columns of the exports."""

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from standardwebhooks import Webhook

from app.crm import api
from app.crm.kinds import CrmKind
from app.crm.options import Options
from app.ports import Crm, ResponseToPush
from app.web import GuardedHttp

SHORTEST_SECRET = 24  # bytes, as the convention asks


def _can_sign(secrets: SecretStr) -> SecretStr:
    each = secrets.get_secret_value().split()
    if not 1 <= len(each) <= 2 or not all(map(_is_secret, each)):
        raise ValueError(
            "must be whsec_ and 24 or more random bytes in base64; two while one is replaced, with a space"
        )
    return secrets


def _is_secret(secret: str) -> bool:
    if not secret.startswith("whsec_"):
        return False
    try:
        return len(b64decode(secret.removeprefix("whsec_") + "==")) >= SHORTEST_SECRET
    except ValueError:
        return False


def _is_address(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError("must be an address that begins with https://")
    return url


class WebhookOptions(Options):
    """Where answers are posted, and how they are signed."""

    per_second: Annotated[float, Field(gt=0, le=1000)] = Field(
        50.0, description="Messages a second, at most."
    )
    at_once: Annotated[int, Field(ge=1, le=50)] = Field(8, description="Messages under way at the same time.")
    url: Annotated[str, AfterValidator(_is_address)] = Field(description="Where every answer is posted.")
    secret: Annotated[SecretStr, AfterValidator(_can_sign)] = Field(
        description="whsec_...; while one is replaced, the new and the old one with a space between: both sign."
    )


@dataclass(frozen=True)
class SignedWebhook:
    """Posts each answer by itself. The receiver tells a repeated one by its id, and an old one by its time."""

    outgoing: GuardedHttp
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """There is no mapping that could be wrong."""
        return ()

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Post them; each try is signed anew, under the same id."""
        return [await self._post(each) for each in answers]

    async def _post(self, answer: ResponseToPush) -> str:
        now, message_id = datetime.now(UTC), f"{answer.survey_id}.{answer.version}"
        told = {"type": answer.event, "timestamp": now.isoformat(), "data": dict(answer.columns)}
        body = json.dumps(told, ensure_ascii=False)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(Webhook(each).sign(message_id, now, body) for each in self.secrets),
        }
        reply = await api.send(self.outgoing, "POST", self.url, headers, body.encode(), read=False)
        api.raise_for(reply)
        return message_id


def connect(options: WebhookOptions, outgoing: GuardedHttp) -> Crm:
    """The connector that posts to the URL that the options name. Sends nothing yet."""
    return SignedWebhook(outgoing, options.url, tuple(options.secret.get_secret_value().split()))


KIND = CrmKind(WebhookOptions, connect)
