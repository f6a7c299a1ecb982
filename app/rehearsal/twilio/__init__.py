"""A double of Twilio on this machine: its REST interface, calls and messages, webhooks and media streams."""

from app.rehearsal.twilio.carrier import RehearsedCarrier
from app.rehearsal.twilio.performance import Performance
from app.rehearsal.twilio.recordings import CarrierRecordings
from app.rehearsal.twilio.verbs import Request

__all__ = [
    "CarrierRecordings",
    "Performance",
    "RehearsedCarrier",
    "Request",
]
