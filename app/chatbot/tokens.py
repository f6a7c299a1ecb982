"""Chat tokens: signed, expiring, bound to one survey; and how many wrong ones an address may try."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from app.errors import TooMany, ZerotenError
from app.web import Throttle

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


class TooManyWrongTokens(TooMany):
    """This address has tried too many wrong tokens."""

    code = "too_many_wrong_tokens"


@dataclass(frozen=True)
class TokenGate:
    """Lets a chat in by its token.

    Right tokens are always let in, however many wrong ones their address has sent: behind a proxy or in an office many
    people share one.
    """

    tokens: ChatTokens
    wrong: Throttle = field(default_factory=Throttle)

    def admit(self, token: str, address: str) -> UUID:
        """The token's survey. Raises `BadToken`, `TooManyWrongTokens` or `ExpiredToken`."""
        try:
            return self.tokens.read(token)
        except BadToken:
            if seconds := self.wrong.note(address):
                raise TooManyWrongTokens(
                    "Too many wrong chat tokens came from this address.", seconds
                ) from None
            raise
