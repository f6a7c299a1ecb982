"""A moment as integrators write it: ISO 8601, with its offset."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

WRITTEN = re.compile(r"\s*\d{4}-\d{2}-\d{2}[Tt ]")


def _written_out(value: object) -> object:
    """A number would be taken for seconds since 1970, and a tenth of one for a moment in that year."""
    if isinstance(value, datetime) or (isinstance(value, str) and WRITTEN.match(value)):
        return value
    raise ValueError("must be a time with its offset, such as 2026-11-21T10:15:00Z")


IsoTime = Annotated[AwareDatetime, BeforeValidator(_written_out)]
