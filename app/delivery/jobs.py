"""The job that pushes."""

from dataclasses import dataclass

from app.jobs import Job


@dataclass(frozen=True)
class Deliver(Job):
    """Push what waits for a destination.

    ``{"destination": "hubspot"}``
    """

    name = "deliver"

    destination: str
