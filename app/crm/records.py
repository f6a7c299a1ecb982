"""What the connectors to records of customers share: notes that are found again, and fields that hold the newest."""

import hashlib
from collections.abc import Mapping
from html import escape
from uuid import UUID

from phonenumbers import MatchType, is_number_match

from app.crm.newest import moment
from app.crm.options import Source, Template, written
from app.ports import ResponseToPush

DEFAULT_NOTE: Template = """\
NPS {score} ({band})
{comment}
Wants to be called back: {callback}
Queue: {queue}
Agent: {agent}
Answered: {answered_at} ({channel}, {language})"""


def marker(survey_id: UUID) -> str:
    """The words by which a note is found again, and is known to be ours."""
    return f"Zeroten {survey_id}"


def note_of(template: Template, answer: ResponseToPush, most: int) -> str:
    """The note, of at most so many characters, signed with what finds it again and tells its states apart."""
    text = written(template, answer)
    state = hashlib.sha256(text.encode()).hexdigest()[:8]
    signature = f"\n\n{marker(answer.survey_id)} {state}"
    return text[: most - len(signature)] + signature


def as_html(text: str) -> str:
    """The text for vendors whose notes are HTML: what a customer said stays text."""
    return escape(text, quote=False).replace("\n", "<br>")


def newest_field(fields: Mapping[str, Source]) -> str | None:
    """The field that says when the answer was given that the fields hold, if one does."""
    return next((name for name, source in fields.items() if source == "answered_at"), None)


def is_late(answer: ResponseToPush, held: object) -> bool:
    """Whether what a record holds is of a later answer than this one. ``held`` is that answer's time, ISO 8601."""
    theirs, ours = moment(held), moment(answer.columns["answered_at"])
    return theirs is not None and ours is not None and theirs > ours


def same_number(held: object, phone: str) -> bool:
    """Whether what people typed is this phone number; theirs may lack the country."""
    return isinstance(held, str) and bool(is_number_match(held, phone) >= MatchType.NSN_MATCH)
