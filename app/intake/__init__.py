"""An interaction ended: it is read, decided about, and scheduled in one transaction.

`Triggers.accept` answers for one or many `InteractionIn`; the same id again gives the same answer and asks
nobody twice.
"""

from app.intake.interaction import Customer, InteractionIn
from app.intake.routes import Chat
from app.intake.triggers import Triggers

__all__ = [
    "Chat",
    "Customer",
    "InteractionIn",
    "Triggers",
]
