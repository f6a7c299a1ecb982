"""What the table connectors share: a row per response, under columns that the operator may name otherwise."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from app.crm.api import MOST_SAID
from app.crm.options import Options, Source
from app.errors import CrmBusy
from app.logs import hide

QUOTED = re.compile(r'"[^"]*"|“[^”]*”|\{.*\}', re.DOTALL)


def _has_id(fields: dict[str, Source]) -> dict[str, Source]:
    if list(fields.values()).count("survey_id") != 1:
        raise ValueError("exactly one column must be filled from survey_id: by it a row is found again")
    return fields


class TableOptions(Options):
    """The columns of a table that holds a row for each response."""

    fields: Annotated[dict[str, Source], AfterValidator(_has_id)] = Field(
        {
            name: name
            for name in (
                "survey_id", "answered_at", "queue", "agent", "channel", "language", "score", "band", "comment",
                "callback", "interaction_id", "crm_id",
            )
        },
        description="Each column's title, and what it is filled from. Columns that are not named are left alone.",
    )  # fmt: skip

    @property
    def id_field(self) -> str:
        """The column by which a response's row is found again."""
        return next(name for name, source in self.fields.items() if source == "survey_id")


def missing(column: str, where: str) -> str:
    """The sentence for a column that is not there."""
    return f"{where} has no column {column}, which fields names"


def unquoted(words: str) -> str:
    """What a vendor said, without what it quotes: that may be the customer's."""
    return hide(QUOTED.sub("...", words))[:MOST_SAID]


def after_a_while(busy: CrmBusy, *, unheard: float | None = None, refused: float | None = None) -> CrmBusy:
    """The same trouble, with how long to wait where the answer does not say: ``unheard`` where no answer came in time,
    ``refused`` after a 429. In seconds."""
    match busy.http_status:
        case None | 504:
            wait = unheard
        case 429:
            wait = refused
        case _:
            wait = None
    return CrmBusy(str(busy), busy.http_status, busy.retry_after or wait)
