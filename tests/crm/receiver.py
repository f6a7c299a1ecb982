"""A receiver of signed webhooks, as the convention's own library reads them."""

import base64
import json
from typing import Any
from uuid import UUID

from standardwebhooks import Webhook, WebhookVerificationError

from tests.crm.vendor import Answered, Held, Request, Vendor

SECRET = "whsec_" + base64.b64encode(b"the secret that both sides know!").decode()


class Receiver(Vendor):
    """Keeps the newest message of each survey, and takes none twice."""

    name = "webhook"
    customer_id = "0035g00000XyZ"
    described = False
    has_fields = False

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.there = True

    @property
    def options(self) -> dict[str, Any]:
        return {"url": f"{self.url}/hook", "secret": SECRET}

    def authorised(self, request: Request) -> bool:
        try:
            Webhook(SECRET).verify(request.body, dict(request.headers))
        except WebhookVerificationError:
            return False
        return True

    def answer(self, request: Request) -> Answered:
        if not self.there:
            return self.error(404)
        self.messages.setdefault(request.headers["webhook-id"], json.loads(request.body)["data"])
        return Answered(204)

    def held(self, survey_id: UUID) -> list[Held]:
        told = [each for each in self.messages.values() if each["survey_id"] == str(survey_id)]
        return [Held(each["score"], each["comment"]) for each in told[-1:]]

    def lose_customer(self) -> None:
        self.there = False

    def lose_field(self) -> str:
        raise NotImplementedError("it has no fields")
