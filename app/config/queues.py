"""What a queue asks by: the deployment's settings with the queue's own over them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.config.settings import Recognition, Settings
from app.errors import FieldProblem, Invalid
from app.survey import OVERRIDABLE, Rules
from app.text import Text

SurveyBy = Literal["voice", "sms", "whatsapp", "chat"]
Outward = Literal["voice", "sms", "whatsapp"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
ContentSid = Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$")]


class QueueOverrides(BaseModel):
    """The body of ``PUT /api/v1/queues/{name}``: what this queue does differently. Rules stand beside these."""

    model_config = ConfigDict(extra="allow")

    brand: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The name the survey asks about."
    )
    flow: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        None, description="Which flow is asked."
    )
    survey_by: SurveyBy | None = Field(None, description="The channel, where the interaction names none.")
    channels: Annotated[list[Outward], Field(min_length=1, max_length=3)] | None = Field(
        None, description="The channels in their order: the next one is tried where nobody was reached."
    )
    whatsapp_templates: dict[Language, ContentSid] | None = Field(
        None,
        description="By language, the approved template that begins a survey outside WhatsApp's 24 hours.",
    )
    max_attempts: Annotated[int, Field(ge=1, le=5)] | None = Field(
        None, description="Attempts to reach one person, on each channel."
    )
    retry_after_minutes: Annotated[int, Field(ge=1, le=30 * 24 * 60)] | None = Field(
        None, description="From attempt to attempt."
    )
    ring_seconds: Annotated[int, Field(ge=5, le=600)] | None = Field(
        None, description="How long the phone rings."
    )
    detect_machine: bool | None = Field(None, description="Whether an answering machine is hung up on.")
    record_comments: bool | None = Field(None, description="Whether the open answer is recorded.")
    recognition: Recognition | None = Field(
        None, description="Who hears what is said on a call: carrier or local."
    )

    def checked(self, settings: Settings) -> dict[str, Any]:
        """The overrides that were given, plain; raises `Invalid` where one is unknown or wrong.

        A rule that is null is kept, for it may lift the deployment's own, such as its cap.
        """
        self._check_channels()
        rules = dict(self.model_extra or {})
        _rules(settings, rules)
        return self.model_dump(include=set(QueueOverrides.model_fields), exclude_none=True) | rules

    def _check_channels(self) -> None:
        if self.channels is None:
            return
        if len(set(self.channels)) < len(self.channels):
            raise Invalid([FieldProblem("channels", "must name each channel once")])
        if self.survey_by not in (None, self.channels[0]):
            raise Invalid([FieldProblem("survey_by", "must be the first of channels, or be left out")])


@dataclass(frozen=True)
class QueueSettings:
    """All that holds for one queue."""

    rules: Rules
    brand: str
    flow: str
    survey_by: SurveyBy | None
    channels: tuple[Outward, ...]
    whatsapp_templates: Mapping[str, str]
    max_attempts: int
    retry_after_minutes: int
    ring_seconds: int
    detect_machine: bool
    record_comments: bool
    recognition: Recognition


def effective(settings: Settings, overrides: Mapping[str, Any]) -> QueueSettings:
    """The deployment's settings with a queue's overrides, as they were checked when written."""
    return _effective(settings, json.dumps(overrides, sort_keys=True))


@lru_cache(maxsize=1024)
def _effective(settings: Settings, overrides_json: str) -> QueueSettings:
    overrides: dict[str, Any] = json.loads(overrides_json)
    names = [field.name for field in fields(QueueSettings) if field.name != "rules"]
    defaults: dict[str, Any] = {"flow": "nps", "survey_by": None, "channels": [], "whatsapp_templates": {}}
    defaults |= settings.model_dump(include=set(names))
    own = {key: value for key, value in overrides.items() if key in OVERRIDABLE}
    given: dict[str, Any] = {name: overrides.get(name, defaults[name]) for name in names}
    given["channels"] = tuple(given["channels"])
    given["survey_by"] = given["survey_by"] or next(iter(given["channels"]), None)
    return QueueSettings(rules=_rules(settings, own), **given)


def _rules(settings: Settings, overrides: Mapping[str, Any]) -> Rules:
    return Rules.build(settings.model_dump(include=set(OVERRIDABLE)), overrides)
