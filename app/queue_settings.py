"""What a queue asks by: the deployment's settings with the queue's own over them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.settings import Settings
from app.survey.rules import OVERRIDABLE, Rules

SurveyBy = Literal["voice", "sms", "whatsapp", "chat"]


class QueueOverrides(BaseModel):
    """The body of ``PUT /api/v1/queues/{name}``: what this queue does differently. Rules stand beside these."""

    model_config = ConfigDict(extra="allow")

    brand: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The name the survey asks about."
    )
    flow: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="Which flow is asked."
    )
    survey_by: SurveyBy | None = Field(None, description="The channel, where the interaction names none.")
    max_attempts: Annotated[int, Field(ge=1, le=5)] | None = Field(None, description="Calls to one person.")
    retry_after_minutes: Annotated[int, Field(ge=1)] | None = Field(
        None, description="From attempt to attempt."
    )
    ring_seconds: Annotated[int, Field(ge=5, le=600)] | None = Field(
        None, description="How long the phone rings."
    )
    detect_machine: bool | None = Field(None, description="Whether an answering machine is hung up on.")
    record_comments: bool | None = Field(None, description="Whether the open answer is recorded.")

    def checked(self, settings: Settings) -> dict[str, Any]:
        """The overrides that were given, plain; raises `Invalid` where one is unknown or wrong."""
        given = self.model_dump(exclude_none=True)
        _rules(
            settings, {key: value for key, value in given.items() if key not in QueueOverrides.model_fields}
        )
        return given


@dataclass(frozen=True)
class QueueSettings:
    """All that holds for one queue."""

    rules: Rules
    brand: str
    flow: str
    survey_by: SurveyBy | None
    max_attempts: int
    retry_after_minutes: int
    ring_seconds: int
    detect_machine: bool
    record_comments: bool


def effective(settings: Settings, overrides: Mapping[str, Any]) -> QueueSettings:
    """The deployment's settings with a queue's overrides, as they were checked when written."""
    return _effective(settings, json.dumps(overrides, sort_keys=True))


@lru_cache(maxsize=1024)
def _effective(settings: Settings, overrides_json: str) -> QueueSettings:
    overrides: dict[str, Any] = json.loads(overrides_json)
    names = [field.name for field in fields(QueueSettings) if field.name != "rules"]
    defaults = {"flow": "nps", "survey_by": None} | settings.model_dump(include=set(names))
    own = {key: value for key, value in overrides.items() if key in OVERRIDABLE}
    given: dict[str, Any] = {name: overrides.get(name, defaults[name]) for name in names}
    return QueueSettings(rules=_rules(settings, own), **given)


def _rules(settings: Settings, overrides: Mapping[str, Any]) -> Rules:
    return Rules.build(settings.model_dump(include=set(OVERRIDABLE)), overrides)
