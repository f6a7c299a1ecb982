"""Answers to push, and a customer to look for."""

from typing import Any
from uuid import UUID, uuid4

from app.ports import CrmIdentity, ResponseToPush

PHONE = "+48221234567"
EMAIL = "ewa.nowak@customer.example"
COMMENT = "Czekałam czterdzieści minut – „skandal” 😠"


def an_answer(crm_id: str | None, survey_id: UUID | None = None, **changes: Any) -> ResponseToPush:
    """A detractor's answer of a customer who is known under this id, or by e-mail and phone where it is None.

    ``score`` and ``comment`` change its columns, everything else the answer.
    """
    survey_id = uuid4() if survey_id is None else survey_id
    columns = {
        "interaction_id": "call-8841",
        "survey_id": str(survey_id),
        "crm_id": crm_id,
        "queue": "billing",
        "agent": "anna",
        "channel": "voice",
        "language": "pl",
        "score": changes.pop("score", 3),
        "band": changes.pop("band", "detractor"),
        "comment": changes.pop("comment", COMMENT),
        "answered_at": "2026-11-21T10:20:03.125Z",
        "flow_version": "1",
        "attributes": {"segment": "smb"},
    }
    known: dict[str, Any] = {
        "event": "response.completed",
        "version": 3,
        "customer": CrmIdentity(crm_id, EMAIL, PHONE, "Ewa Nowak"),
        "callback": True,
    }
    return ResponseToPush(survey_id=survey_id, columns=columns, **(known | changes))
