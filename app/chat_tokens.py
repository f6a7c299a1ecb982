"""Chat tokens: signed, expiring, bound to one survey, and good for nothing else."""

from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from app.errors import ZerotenError

SALT = "zeroten.chat"


class BadToken(ZerotenError):
    """The token was not made here, or was tampered with."""

    code = "bad_token"
    status = 401


class ExpiredToken(ZerotenError):
    """The token was good once."""

    code = "expired_token"
    status = 401


@dataclass(frozen=True)
class ChatTokens:
    """Makes and reads the tokens by which a chat reaches its survey."""

    secret: bytes
    lifetime_seconds: int

    def make(self, survey_id: UUID) -> str:
        """A token for this survey, valid from now."""
        return self._serializer().dumps(survey_id.hex)

    def read(self, token: str) -> UUID:
        """The survey that the token opens. Raises `BadToken` or `ExpiredToken`."""
        try:
            return UUID(self._serializer().loads(token, max_age=self.lifetime_seconds))
        except SignatureExpired:
            raise ExpiredToken("This chat link has expired.") from None
        except (BadSignature, ValueError):
            raise BadToken("This chat link is not valid.") from None

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=SALT)
