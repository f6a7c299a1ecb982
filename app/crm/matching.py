"""Which record an answer belongs to, under the rule that the operator set."""

from collections.abc import Awaitable, Callable, Sequence

from app.crm.options import By, Matching
from app.errors import NoRecord
from app.ports import CrmIdentity

Find = Callable[[By, str], Awaitable[Sequence[str]]]
"""The ids of the records that have this value, the newest first."""


async def match(matching: Matching, customer: CrmIdentity, find: Find) -> str:
    """The id of the customer's record.

    Raises `NoRecord` where none fits, or several do and the rule is to refuse them.
    """
    for by in matching.by:
        value = getattr(customer, by)
        found = await find(by, value) if value else ()
        if len(found) > 1 and matching.several == "refuse":
            raise NoRecord(f"{len(found)} records have the customer's {by}")
        if found:
            return found[0]
    raise NoRecord(f"no record has the customer's {' or '.join(matching.by)}")
