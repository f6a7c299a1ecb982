"""An ended interaction, as integrators post it."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    TypeAdapter,
    field_validator,
)

from app.phone_numbers import named_zone, parse_phone_number
from app.store.suppressions import addresses_of
from app.text import Text, storable
from app.web import IsoTime

MOST_AHEAD = timedelta(minutes=5)  # of our clock, where another system says when something ended
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_ATTRIBUTE = 2000

# pydantic would remember 16,384 of the values that it has stripped, and nobody sends the same ones again.
STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True, cache_strings="keys")

Name = Annotated[Text, Field(min_length=1, max_length=200)]
ChannelName = Literal["voice", "chat", "sms", "whatsapp"]
Scalar = str | int | float | bool | None


def _scalar(value: object) -> object:
    match value:
        case str() if len(value) > LONGEST_ATTRIBUTE:
            raise ValueError(f"must have at most {LONGEST_ATTRIBUTE} characters")
        case str():
            return storable(value)
        case float() if not isfinite(value):
            raise ValueError("must be a finite number")
        case int() | float() | None:
            return value
        case _:
            raise ValueError("must be text, a number, true, false or null")


Attribute = Annotated[Scalar, PlainValidator(_scalar, json_schema_input_type=Scalar)]


class Customer(BaseModel):
    """Who the interaction was with, and how they may be reached."""

    model_config = STRICT

    crm_id: Name | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    email: Annotated[Text, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    name: Annotated[Text, Field(max_length=200)] | None = None
    timezone: str | None = None
    consent: StrictBool | None = None

    @field_validator("phone")
    @classmethod
    def _one_spelling(cls, phone: str | None) -> str | None:
        return parse_phone_number(phone).e164 if phone else None

    @field_validator("timezone")
    @classmethod
    def _real_zone(cls, timezone: str | None) -> str | None:
        return named_zone(timezone) if timezone else None


class InteractionIn(BaseModel):
    """A call or chat that ended."""

    model_config = STRICT

    id: Name
    channel: ChannelName
    queue: Name
    agent: Name | None = None
    ended_at: IsoTime
    language: Annotated[Text, Field(max_length=35, pattern=r"^[^\W\d_]{2}")] | None = Field(
        None, description="A tag or a name of the language, such as pl, nb-NO or Polish."
    )
    talk_seconds: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] | None = None
    survey_by: ChannelName | None = None
    customer: Customer = Field(default_factory=Customer)
    attributes: dict[Name, Attribute] = Field(default_factory=dict, max_length=50)

    @field_validator("ended_at")
    @classmethod
    def _within_reason(cls, ended_at: datetime) -> datetime:
        if ended_at > datetime.now(UTC) + MOST_AHEAD:
            raise ValueError("lies in the future")
        if ended_at < LONG_AGO:
            raise ValueError("lies before the year 2000")
        return ended_at.astimezone(UTC)

    @property
    def person(self) -> str:
        """The customer's key: ``crm:``, ``phone:`` or ``email:`` and the value; else ``interaction:`` and the id."""
        known = addresses_of(self.customer.crm_id, self.customer.phone, self.customer.email)
        return known[0] if known else f"interaction:{self.id}"


INTERACTION = TypeAdapter(InteractionIn)
ID: TypeAdapter[str] = TypeAdapter(Name)
