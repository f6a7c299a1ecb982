"""What an operator may set for a destination, and what its fields are filled from."""

from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from app.config import Strict
from app.ports import ResponseToPush
from app.survey import Band

COLUMNS = frozenset(
    {
        "interaction_id", "survey_id", "crm_id", "queue", "agent", "channel", "language", "score", "band", "comment",
        "answered_at", "flow_version", "callback", "event", "email", "phone", "name",
    }
)  # fmt: skip
ATTRIBUTES = "attributes."
BANDS: tuple[str, ...] = get_args(Band)
By = Literal["crm_id", "email", "phone"]
Kind = Literal["number", "truth", "time", "text", "any"]
_KINDS: Mapping[str, Kind] = {"score": "number", "callback": "truth", "answered_at": "time"}


def _known(source: str) -> str:
    if source not in COLUMNS and not (source.startswith(ATTRIBUTES) and source != ATTRIBUTES):
        raise ValueError(f"{source} is neither a column of a response nor {ATTRIBUTES}NAME")
    return source


def _fillable(template: str) -> str:
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as wrong:
        raise ValueError(f"the text is not well formed: {wrong}") from None
    for name in names:
        _known(name)
    return template


Source = Annotated[str, AfterValidator(_known)]
"""Where a field's value comes from: a column of a response, or ``attributes.NAME``."""
Template = Annotated[str, AfterValidator(_fillable)]
"""A text with sources in braces, such as ``{score}``; what has no value is left out."""


class Matching(Strict):
    """How the record is found that an answer belongs to."""

    by: tuple[By, ...] = Field(("crm_id", "email", "phone"), min_length=1, description="In this order.")
    several: Literal["newest", "refuse"] = Field(
        "refuse", description="When an e-mail or a phone fits several records."
    )


class Options(Strict):
    """What every destination has; a connector adds its own."""

    per_second: Annotated[float, Field(gt=0, le=1000)] = Field(5.0, description="Pushes a second, at most.")
    at_once: Annotated[int, Field(ge=1, le=50)] = Field(4, description="Pushes under way at the same time.")
    queues: tuple[str, ...] = Field((), description="Only answers of these queues; none named: of all.")


def kind(source: Source) -> Kind:
    """What sort of value a source has. Attributes may be anything."""
    return "any" if source.startswith(ATTRIBUTES) else _KINDS.get(source, "text")


def misfits(
    where: str,
    fields: Mapping[str, Source],
    types: Mapping[str, str],
    takes: Mapping[str, Collection[Kind]],
) -> Iterator[str]:
    """A sentence for each field that is not there, or whose type does not take what it is to be filled from."""
    for name, source in fields.items():
        if name not in types:
            yield f"there is no {where} {name}"
        elif kind(source) != "any" and kind(source) not in takes.get(types[name], ()):
            yield f"the {where} {name} cannot hold {source}: its type is {types[name]}"


def values(answer: ResponseToPush) -> dict[str, Any]:
    """Every source's value; those of attributes stand under ``attributes.NAME``."""
    columns = dict(answer.columns)
    attributes = columns.pop("attributes", None) or {}
    customer = answer.customer
    return {
        **columns,
        **{f"{ATTRIBUTES}{name}": value for name, value in attributes.items()},
        "callback": answer.callback,
        "event": answer.event,
        "email": customer.email,
        "phone": customer.phone,
        "name": customer.name,
    }


def filled(fields: Mapping[str, Source], answer: ResponseToPush) -> dict[str, Any]:
    """The fields with their values. One without a value is None, so that an older one is cleared."""
    given = values(answer)
    return {name: given.get(source) for name, source in fields.items()}


def written(template: Template, answer: ResponseToPush) -> str:
    """The text with its values; a line in which none of them has a value is left out."""
    given = {name: "" if value is None else str(value) for name, value in values(answer).items()}
    lines = (_line(line, given) for line in template.splitlines())
    return "\n".join(line for line in lines if line is not None)


def _line(line: str, given: Mapping[str, str]) -> str | None:
    pieces = list(Formatter().parse(line))
    names = [name for _, name, _, _ in pieces if name is not None]
    if names and not any(given.get(name) for name in names):
        return None
    return "".join(text + (given.get(name, "") if name is not None else "") for text, name, _, _ in pieces)
