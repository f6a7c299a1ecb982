"""Chat tokens: signed, expiring, bound to one survey, and good for nothing else."""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from app.errors import ZerotenError

SALT = "zeroten.chat"


class BadToken(ZerotenError):
    """The token was not made here, or was tampered with."""

    code = "bad_token"
    status = 401


class ExpiredToken(ZerotenError):
    """The token was good once, for ``survey_id``."""

    code = "expired_token"
    status = 401

    def __init__(self, survey_id: UUID) -> None:
        super().__init__("This chat link has expired.")
        self.survey_id = survey_id


@dataclass(frozen=True)
class ChatTokens:
    """Makes and reads the tokens by which a chat reaches its survey."""

    secret: bytes
    lifetime_seconds: int

    def make(self, survey_id: UUID, at: datetime) -> str:
        """The token for this survey that is good from ``at``; the same each time it is made."""
        return self._serializer().dumps([survey_id.hex, int(at.timestamp()) + self.lifetime_seconds])

    def read(self, token: str) -> UUID:
        """The survey that the token opens. Raises `BadToken` or `ExpiredToken`."""
        try:
            survey, expires_at = self._serializer().loads(token)
        except (BadData, ValueError):
            raise BadToken("This chat link is not valid.") from None
        if time.time() > expires_at:
            raise ExpiredToken(UUID(survey))
        return UUID(survey)

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=SALT)
