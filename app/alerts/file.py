"""The operator's alerts file: whom to tell of what, and when."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from app.alerts.rules import Rule, Rulebook
from app.alerts.services import AppriseService, understand
from app.alerts.texts import languages
from app.alerts.timing import QuietHours, Storm
from app.alerts.words import WordList
from app.config import Settings, files
from app.errors import StartError
from app.survey import Band
from app.text import Text

CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
RANGE = re.compile(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?")


def _time(given: object) -> object:
    if not isinstance(given, str) or not CLOCK.fullmatch(given):
        raise ValueError('must be a time such as "08:30"')
    hour, minute = given.split(":")
    return time(int(hour), int(minute))


def _scores(given: object) -> object:
    """Scores one by one, and ranges such as 0-6."""
    found: set[int] = set()
    for part in given if isinstance(given, list) else [given]:
        spelled = RANGE.fullmatch(str(part).strip())
        low, high = (int(spelled[1]), int(spelled[2] or spelled[1])) if spelled else (1, 0)
        if not 0 <= low <= high <= 10:
            raise ValueError("must be scores from 0 to 10, or a range such as 0-6")
        found.update(range(low, high + 1))
    return sorted(found)


def _zone(given: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(given))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Warsaw") from None


def _worded(language: str) -> str:
    if language not in languages():
        raise ValueError(f"must be one of {', '.join(languages())}")
    return language


def _words(given: object) -> WordList:
    if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
        raise ValueError("must be a list of words; a number, true and false need quotes")
    return WordList.of(given)


Name = Annotated[Text, Field(min_length=1, max_length=100)]
Clock = Annotated[time, BeforeValidator(_time)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone)]
Language = Annotated[str, AfterValidator(_worded)]
Conditions = Annotated[list[Name], Field(min_length=1)]


class _Part(files.Strict):
    model_config = ConfigDict(arbitrary_types_allowed=True)


class QuietHoursGiven(_Part):
    """``quiet_hours:`` of a rule: from when until when, by the rule's own time zone, nobody is told."""

    begin: Clock = Field(alias="from")
    until: Clock

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.begin == self.until:
            raise ValueError("from and until must differ")
        return self


class StormGiven(_Part):
    """``storm:``: how many alerts in how much time become one message."""

    more_than: Annotated[int, Field(ge=1, le=1000)] = 5
    within_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 10


class RuleGiven(_Part):
    """One of ``rules:``: which answers it is about, who is told, and when."""

    name: Name
    to: Conditions
    queues: Conditions | None = None
    bands: Annotated[list[Band], Field(min_length=1)] | None = None
    scores: Annotated[list[int], Field(min_length=1), BeforeValidator(_scores)] | None = None
    words: Annotated[WordList, PlainValidator(_words)] | None = None
    languages: Conditions | None = None
    callback: bool | None = None
    send: Literal["at_once", "digest"] = "at_once"
    digest_at: Annotated[list[Clock], Field(min_length=1, max_length=24)] | None = None
    in_quiet_hours: Literal["hold", "send"] = "hold"
    quiet_hours: QuietHoursGiven | None = None
    time_zone: Zone | None = None
    language: Language | None = None
    phone: bool = False

    @model_validator(mode="after")
    def _times_of_digests(self) -> Self:
        if (self.send == "digest") != (self.digest_at is not None):
            raise ValueError("send: digest and digest_at go together")
        return self


class FileGiven(_Part):
    """The whole alerts file as it is written, before addresses and languages are checked."""

    recipients: Annotated[dict[Name, str], Field(min_length=1)]
    operators: list[Name] = Field([])
    rules: list[RuleGiven] = Field([])
    language: Language | None = None
    time_zone: Zone | None = None
    quiet_hours: QuietHoursGiven | None = None
    storm: StormGiven = StormGiven()


@dataclass(frozen=True)
class AlertsFile:
    """What the file says, and the services of its recipients by name."""

    rulebook: Rulebook = field(default_factory=Rulebook)
    services: Mapping[str, AppriseService] = field(default_factory=dict)


def read_alerts(path: Path, settings: Settings) -> AlertsFile:
    """Read and check the file. Raises `StartError` with file, key and reason; no value is repeated."""
    content = files.read(path)
    try:
        given = FileGiven.model_validate(content)
    except ValidationError as wrong:
        raise files.refused(path, wrong) from None
    for key, reason in _mistakes(given):
        raise StartError(f"{path}: {key}: {reason}")
    services = {
        name: _service(path, name, url, allow_private=settings.allow_private_urls)
        for name, url in given.recipients.items()
    }
    rules = tuple(_rule(path, place, each, given, settings) for place, each in enumerate(given.rules))
    storm = Storm(given.storm.more_than, timedelta(minutes=given.storm.within_minutes))
    return AlertsFile(Rulebook(rules, tuple(dict.fromkeys(given.operators)), storm), services)


def _mistakes(given: FileGiven) -> Iterator[tuple[str, str]]:
    if not given.rules and not given.operators:
        yield "rules", "there is no rule and there are no operators, so nobody is ever told"
    for place, name in enumerate(given.operators):
        if name not in given.recipients:
            yield f"operators.{place}", f"{name} is not among recipients"
    seen: set[str] = set()
    for place, rule in enumerate(given.rules):
        if rule.name in seen:
            yield f"rules.{place}.name", "another rule has this name"
        seen.add(rule.name)
        for name in rule.to:
            if name not in given.recipients:
                yield f"rules.{place}.to", f"{name} is not among recipients"
    urls: dict[str, str] = {}
    for name, url in given.recipients.items():
        if url in urls:
            yield f"recipients.{name}", f"has the same address as {urls[url]}; nobody should be told twice"
        urls[url] = name


def _service(path: Path, name: str, url: str, *, allow_private: bool) -> AppriseService:
    try:
        return understand(url, allow_private=allow_private)
    except ValueError as wrong:
        raise StartError(f"{path}: recipients.{name}: {wrong}") from None


def _rule(path: Path, place: int, given: RuleGiven, whole: FileGiven, settings: Settings) -> Rule:
    zone = given.time_zone or whole.time_zone or ZoneInfo(settings.reporting_timezone)
    quiet = given.quiet_hours or whole.quiet_hours
    quiet_hours = (
        QuietHours(quiet.begin, quiet.until, zone) if quiet and given.in_quiet_hours == "hold" else None
    )
    for at in given.digest_at or ():
        if quiet_hours is not None and quiet_hours.hold(at):
            raise StartError(f"{path}: rules.{place}.digest_at: {at:%H:%M} lies in the quiet hours")
    return Rule(
        name=given.name,
        to=tuple(dict.fromkeys(given.to)),
        language=given.language or whole.language or _language(settings),
        zone=zone,
        queues=frozenset(given.queues or ()),
        bands=frozenset(given.bands or ()),
        scores=frozenset(given.scores or ()),
        languages=frozenset(given.languages or ()),
        words=given.words,
        callback=given.callback,
        phone=given.phone,
        digest_at=tuple(given.digest_at or ()),
        quiet_hours=quiet_hours,
    )


def _language(settings: Settings) -> str:
    return settings.default_language if settings.default_language in languages() else "en"
