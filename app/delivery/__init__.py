"""What follows a response: it is pushed to the operator's own systems, in order, at a set rate, and people are alerted.

`FollowUp.follow` is the job after each answer; `Deliveries` brings every destination up to date.
"""

from app.delivery.deliveries import Deliveries
from app.delivery.follow import FollowUp
from app.delivery.jobs import Deliver
from app.delivery.push import Destination

__all__ = [
    "Deliver",
    "Deliveries",
    "Destination",
    "FollowUp",
]
