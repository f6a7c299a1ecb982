"""The job that tells people."""

from dataclasses import dataclass

from app.jobs import Job


@dataclass(frozen=True)
class SendAlerts(Job):
    """Send a recipient all that is due.

    ``{"recipient": "billing-leads"}``
    """

    name = "send_alerts"

    recipient: str
