"""The one table of what a queue asks by: each setting's name, type, default and meaning stand here and nowhere else.

`QueueDefaults` are settings of the deployment, ``ZEROTEN_<NAME>``, that a queue may override by
``PUT /api/v1/queues/{name}``; `QueueSettings` adds those that only a queue has.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.config.files import mistakes
from app.errors import FieldProblem, Invalid
from app.survey import DEFAULT_FLOW, CallingHours, Hours, Rules, SurveyBy
from app.survey.rules import (
    CONSENT_COUNTRIES,
    COUNTRY_CALL_LIMITS,
    COUNTRY_HOURS,
    read_calling_hours,
    read_countries,
    read_country_call_limits,
    read_country_hours,
)
from app.text import Line

Outward = Literal["voice", "sms", "whatsapp"]
Recognition = Literal["carrier", "local"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
ContentSid = Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$")]
Name = Annotated[Line, Field(min_length=1, max_length=100)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
LONGEST_DAYS = 3650


def _as_tuple(given: object) -> object:
    return tuple(given) if isinstance(given, list) else given


def _each_once(channels: tuple[Outward, ...]) -> tuple[Outward, ...]:
    if len(set(channels)) < len(channels):
        raise ValueError("must name each channel once")
    return channels


class QueueDefaults(BaseModel):
    """What holds for every queue that does not say otherwise."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    brand: Name = Field("our company", description="The name the survey asks about.")
    calling_hours: Annotated[
        CallingHours, PlainValidator(read_calling_hours, json_schema_input_type=str | None)
    ] = Field(
        None,
        description="Local to the customer, such as 09:00-18:00, within what the country allows; none: the country's"
        ' own hours, else 09:00-20:00; "always" lifts every window, the countries\' too.',
    )
    survey_every_days: Annotated[int, Field(ge=0, le=LONGEST_DAYS)] = Field(
        90, description="How long a person is left in peace; 0 asks after every interaction."
    )
    min_talk_seconds: Annotated[int, Field(ge=0, le=24 * 3600)] = Field(
        0, description="Shorter interactions are not surveyed."
    )
    sample_percent: Percent = Field(
        100.0,
        description="The share of interactions that is surveyed, by a fixed draw on the interaction's id.",
    )
    daily_cap: Annotated[int, Field(ge=0, le=10**9)] | None = Field(
        None, description="Surveys a queue may schedule in a day."
    )
    max_age_hours: Annotated[float, Field(gt=0, le=LONGEST_DAYS * 24, allow_inf_nan=False)] = Field(
        48.0, description="How old an interaction may be when it is surveyed."
    )
    call_delay_seconds: Annotated[int, Field(ge=0)] = Field(
        120,
        description="From the interaction's end to the call; shorter than max_age_hours.",
        validate_default=True,
    )
    max_attempts: Annotated[int, Field(ge=1, le=5)] = Field(
        2, description="Attempts to reach one person, on each channel where a queue has several."
    )
    retry_after_minutes: Annotated[int, Field(ge=1, le=30 * 24 * 60)] = Field(
        240, description="From one attempt to the next."
    )
    ring_seconds: Annotated[int, Field(ge=5, le=600)] = Field(28, description="How long the phone rings.")
    detect_machine: bool = Field(True, description="Whether an answering machine is hung up on.")
    record_comments: bool = Field(True, description="Whether the open answer is recorded on a call.")
    recognition: Recognition = Field(
        "carrier",
        description="Who hears what is said on a call: carrier, or local for recognisers on this machine.",
    )

    @field_validator("call_delay_seconds")
    @classmethod
    def _within_age(cls, seconds: int, info: ValidationInfo) -> int:
        if seconds >= info.data.get("max_age_hours", LONGEST_DAYS * 24) * 3600:
            raise ValueError("must be shorter than max_age_hours")
        return seconds


class QueueSettings(QueueDefaults):
    """All that holds for one queue."""

    flow: Name = Field(DEFAULT_FLOW, description="Which flow is asked.")
    channels: Annotated[
        tuple[Outward, ...],
        BeforeValidator(_as_tuple),
        Field(min_length=1, max_length=3),
        AfterValidator(_each_once),
    ] = Field((), description="The channels in their order: the next one is tried where nobody was reached.")
    survey_by: SurveyBy | None = Field(
        None,
        description="The channel, where the interaction names none; the first of channels, where they are set.",
        validate_default=True,
    )
    whatsapp_templates: dict[Language, ContentSid] = Field(
        {}, description="By language, the approved template that begins a survey outside WhatsApp's 24 hours."
    )
    consent_countries: Annotated[
        frozenset[str], PlainValidator(read_countries, json_schema_input_type=list[str])
    ] = Field(
        default_factory=lambda: CONSENT_COUNTRIES, description="The countries where consent is required."
    )
    country_hours: Annotated[
        Mapping[str, Hours], PlainValidator(read_country_hours, json_schema_input_type=dict[str, str | None])
    ] = Field(
        default_factory=lambda: COUNTRY_HOURS,
        description="Changes to the countries' hours, by code; null removes a country's.",
    )
    country_call_limits: Annotated[
        Mapping[str, int],
        PlainValidator(read_country_call_limits, json_schema_input_type=dict[str, int | None]),
    ] = Field(
        default_factory=lambda: COUNTRY_CALL_LIMITS,
        description="Changes to the calls that one person may get in 30 days, by country; null removes a limit.",
    )

    @field_validator("survey_by")
    @classmethod
    def _first_of_channels(cls, channel: SurveyBy | None, info: ValidationInfo) -> SurveyBy | None:
        first = next(iter(info.data.get("channels", ())), None)
        if None not in {channel, first} and channel != first:
            raise ValueError("must be the first of channels, or be left out")
        return first or channel

    @cached_property
    def rules(self) -> Rules:
        """What eligibility goes by."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})


QueueOverrides = Annotated[
    dict[str, Any],
    WithJsonSchema(
        QueueSettings.model_json_schema() | {"title": "QueueOverrides", "additionalProperties": False}
    ),
]
"""What one queue does differently, by name, as it is sent and stored."""

RULES = frozenset(field.name for field in fields(Rules))


def checked(settings: QueueDefaults, given: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides as they are to be stored. Raises `Invalid` with a problem for each that is unknown or wrong.

    A rule that is null is kept, for it may lift the deployment's own, such as its cap; any other is left out.
    """
    known = QueueSettings.model_fields
    own = {name: value for name, value in given.items() if value is not None or name in RULES}
    problems = [
        FieldProblem(name, f"is not a setting of a queue; they are {', '.join(known)}")
        for name in own
        if name not in known
    ]
    try:
        QueueSettings.model_validate(_over(settings, own), strict=True)
    except ValidationError as wrong:
        problems += [FieldProblem(".".join(keys), words) for keys, words in mistakes(wrong)]
    if problems:
        raise Invalid(problems)
    return own


def effective(settings: QueueDefaults, overrides: Mapping[str, Any]) -> QueueSettings:
    """The deployment's settings with a queue's overrides over them, as they were checked when written."""
    return _effective(settings, json.dumps(overrides, sort_keys=True))


@lru_cache(maxsize=1024)
def _effective(settings: QueueDefaults, overrides_json: str) -> QueueSettings:
    return QueueSettings.model_validate(_over(settings, json.loads(overrides_json)))


def _over(settings: QueueDefaults, own: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in QueueDefaults.model_fields} | dict(own)
