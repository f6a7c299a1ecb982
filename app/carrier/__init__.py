"""Twilio over REST: calls, messages, conversations and recordings, each request asked once and judged by its answer.

`Carrier` raises `CarrierRefused`, `CarrierMisconfigured`, `CarrierBusy` or `CarrierOutcomeUnknown`, each of which says
what follows. `SignatureChecker` tells Twilio's webhooks from forged ones; `outcomes` says what its codes mean.
"""

from app.carrier.client import Carrier
from app.carrier.outcomes import (
    CallStatus,
    MessageStatus,
    answerer,
    call_status,
    disposition,
    meaning_of,
    message_status,
    worth_another_attempt,
)
from app.carrier.records import CallRecord, MessageRecord, Template
from app.carrier.signature import SignatureChecker, sign, signed_form

__all__ = [
    "CallRecord",
    "CallStatus",
    "Carrier",
    "MessageRecord",
    "MessageStatus",
    "SignatureChecker",
    "Template",
    "answerer",
    "call_status",
    "disposition",
    "meaning_of",
    "message_status",
    "sign",
    "signed_form",
    "worth_another_attempt",
]
