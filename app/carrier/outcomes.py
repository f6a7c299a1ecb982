"""What Twilio's statuses and error codes mean, and what follows from each."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, assert_never, get_args

from app.errors import CarrierBusy, CarrierError, CarrierMisconfigured, CarrierOutcomeUnknown, CarrierRefused

CallStatus = Literal[
    "queued", "initiated", "ringing", "in-progress", "canceled", "failed", "no-answer", "busy", "completed"
]
MessageStatus = Literal[
    "scheduled",
    "accepted",
    "queued",
    "sending",
    "sent",
    "canceled",
    "failed",
    "undelivered",
    "delivered",
    "read",
]
Answerer = Literal["human", "machine", "unknown"]
Disposition = Literal["answered", "busy", "no_answer", "failed", "canceled", "declined", "no_such_number"]
Consequence = Literal["permanent", "configuration", "pause", "harmless"]

CALL_STATUSES: Final[tuple[CallStatus, ...]] = get_args(CallStatus)
MESSAGE_STATUSES: Final[tuple[MessageStatus, ...]] = get_args(MessageStatus)

TEMPORARY_SIP_CODES: Final = frozenset({408, 480, 500, 502, 503, 504})
# Decline; Unwanted. Source: RFC 3261, RFC 8197.
DECLINED_SIP_CODES: Final = frozenset({603, 607})
# Not Found; Address Incomplete; Does Not Exist Anywhere.
NO_SUCH_NUMBER_SIP_CODES: Final = frozenset({404, 484, 604})


@dataclass(frozen=True)
class Meaning:
    """A Twilio error code in one word, and what to do about it; ``opted_out`` also suppresses the person."""

    word: str
    consequence: Consequence | None


def _all(consequence: Consequence, words: dict[int, str]) -> dict[int, Meaning]:
    return {code: Meaning(word, consequence) for code, word in words.items()}


ERROR_CODES: Final = MappingProxyType(
    _all(
        "permanent",
        {
            13223: "number_malformed",
            13224: "number_impossible",
            13225: "number_forbidden",
            21211: "number_invalid",
            21214: "number_unreachable",
            21216: "number_forbidden",
            21217: "number_invalid",
            21610: "opted_out",
            21612: "route_unavailable",
            21614: "not_a_mobile",
            30005: "handset_unknown",
            30006: "landline",
            63003: "channel_address_unknown",
            63024: "recipient_invalid",
        },
    )
    | _all(
        "configuration",
        {
            10001: "account_inactive",
            13227: "country_not_enabled",
            20003: "credentials_refused",
            21205: "callback_url_invalid",
            21210: "sender_unverified",
            21212: "sender_invalid",
            21215: "country_not_enabled",
            21219: "trial_recipient_unverified",
            21408: "country_not_enabled",
            21606: "sender_incapable",
            21608: "trial_recipient_unverified",
            21617: "message_too_long",
            30034: "sender_unregistered",
            63007: "sender_unknown",
            63016: "template_required",
        },
    )
    | _all(
        "pause",
        {
            10004: "too_many_calls",
            20429: "too_many_requests",
            21611: "sender_queue_full",
            30001: "queue_full",
            30003: "handset_off",
            30008: "delivery_failed",
            63018: "channel_rate_exceeded",
        },
    )
    | _all("harmless", {21220: "call_already_ended"})
)


UNKNOWN_CODE: Final = Meaning("not_in_the_table", None)


def error_for(http_status: int, code: int | None, *, repeatable: bool) -> CarrierError:
    """The error that an answer of Twilio's amounts to.

    ``repeatable`` says that the request may be sent again without doing anything twice: a read, an update or
    a deletion, but not the placing of a call or a message. Nothing of the answer's text is kept: it quotes
    numbers.
    """
    meaning = meaning_of(code)
    if http_status >= 500:
        kind: type[CarrierError] = CarrierBusy if repeatable else CarrierOutcomeUnknown
    elif meaning.consequence is None:
        kind = _kind_of_status(http_status)
    else:
        kind = _kind_of(meaning.consequence)
    return kind(f"the carrier answered {http_status}, code {code} ({meaning.word})", code, http_status)


def _kind_of_status(http_status: int) -> type[CarrierError]:
    match http_status:
        case 408 | 425 | 429:
            return CarrierBusy
        case 400 | 409 | 410 | 422:
            return CarrierRefused
        case _:
            # A redirect, 401, 403, 404: our address, account or rights are wrong, not the person's number.
            return CarrierMisconfigured


def _kind_of(consequence: Consequence) -> type[CarrierError]:
    match consequence:
        case "permanent" | "harmless":
            return CarrierRefused
        case "configuration":
            return CarrierMisconfigured
        case "pause":
            return CarrierBusy
        case _:
            assert_never(consequence)


def meaning_of(code: int | None) -> Meaning:
    """What this error code means; one that we do not know has no consequence of its own."""
    return UNKNOWN_CODE if code is None else ERROR_CODES.get(code, UNKNOWN_CODE)


def call_status(text: str | None) -> CallStatus | None:
    """The call status of this name, or None where Twilio has no such status."""
    return next((status for status in CALL_STATUSES if status == text), None)


def message_status(text: str | None) -> MessageStatus | None:
    """The outgoing message's status of this name, or None where there is no such status."""
    return next((status for status in MESSAGE_STATUSES if status == text), None)


def disposition(status: CallStatus, sip_code: int | None = None) -> Disposition | None:
    """How the call ended, or None while it has not; ``sip_code`` is the callback's ``SipResponseCode``.

    Of a call that nobody took the code says more than the status: a person who declines it counts as failed, busy or
    not there, as the network has it.
    """
    match status:
        case "busy" | "no-answer" | "failed" if sip_code in DECLINED_SIP_CODES:
            return "declined"
        case "failed" if sip_code in NO_SUCH_NUMBER_SIP_CODES:
            return "no_such_number"
        case "queued" | "initiated" | "ringing" | "in-progress":
            return None
        case "completed":
            return "answered"
        case "no-answer":
            return "no_answer"
        case "busy" | "failed" | "canceled":
            return status
        case _:
            assert_never(status)


def answerer(answered_by: str | None) -> Answerer:
    """Who picked up, from Twilio's ``AnsweredBy``; a fax is a machine, and no detection is unknown."""
    match (answered_by or "").partition("_")[0]:
        case "human":
            return "human"
        case "machine" | "fax":
            return "machine"
        case _:
            return "unknown"


def worth_another_attempt(ended: Disposition, sip_code: int | None = None) -> bool:
    """Whether a second call may reach the person; ``sip_code`` is the callback's ``SipResponseCode``."""
    match ended:
        case "busy" | "no_answer":
            return True
        case "failed":
            return sip_code in TEMPORARY_SIP_CODES
        case "answered" | "canceled" | "declined" | "no_such_number":
            return False
        case _:
            assert_never(ended)
