"""What a queue asks by: the deployment's settings, and its own over them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.config import QueueDefaults, QueueSettings, Settings, checked, effective
from app.errors import Invalid
from app.survey import Rules
from app.survey.calling_hours import parse_hours

SETTINGS = Settings(_env_file=None)


def test_a_queue_with_nothing_of_its_own_has_the_deployments() -> None:
    queue = effective(SETTINGS, {})
    for name in QueueDefaults.model_fields:
        assert getattr(queue, name) == getattr(SETTINGS, name) == QueueDefaults.model_fields[name].default, (
            name
        )
    assert (queue.flow, queue.survey_by, queue.channels, queue.whatsapp_templates) == ("nps", None, (), {})


def test_what_a_queue_has_of_its_own_wins() -> None:
    settings = Settings(
        _env_file=None, survey_every_days=30, daily_cap=5, brand="Acme", calling_hours="always"
    )
    own = {"daily_cap": None, "sample_percent": 12.5, "brand": "Ours", "calling_hours": "10:00-11:00"}
    queue = effective(settings, own)
    rules = queue.rules
    assert (rules.survey_every_days, rules.daily_cap, rules.sample_percent) == (30, None, 12.5)
    assert (queue.brand, rules.calling_hours) == ("Ours", parse_hours("10:00-11:00"))
    assert effective(settings, {}).rules.calling_hours == "always"


def test_every_rule_is_a_setting() -> None:
    assert {field.name for field in fields(Rules)} <= set(QueueSettings.model_fields)


def test_the_environment_sets_what_queues_may_override(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"CALLING_HOURS": "mon-fri 09:00-18:00", "DAILY_CAP": "7", "SAMPLE_PERCENT": "12.5", "BRAND": "Północ",
             "DETECT_MACHINE": "false", "RECOGNITION": "local", "CALL_DELAY_SECONDS": "0"}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"ZEROTEN_{name}", value)
    queue = effective(Settings(_env_file=None), {})
    assert queue.calling_hours == parse_hours("mon-fri 09:00-18:00")
    assert (queue.daily_cap, queue.sample_percent, queue.brand) == (7, 12.5, "Północ")
    assert (queue.detect_machine, queue.recognition, queue.call_delay_seconds) == (False, "local", 0)


@pytest.mark.parametrize(
    ("name", "value", "names"),
    [
        ("CALLING_HOURS", "nine to five", "calling_hours"),
        ("SURVEY_EVERY_DAYS", "4000", "survey_every_days"),
        ("MAX_AGE_HOURS", "0.01", "call_delay_seconds"),
        ("RING_SECONDS", "soon", "ring_seconds"),
    ],
)
def test_a_bad_setting_of_the_deployment_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, names: str
) -> None:
    monkeypatch.setenv(f"ZEROTEN_{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None)
    assert [error["loc"] for error in refused.value.errors()] == [(names,)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("calling_hours", "nine to five"),
        ("calling_hours", 9),
        ("survey_every_days", -1),
        ("survey_every_days", 1.5),
        ("survey_every_days", True),
        ("min_talk_seconds", "20"),
        ("min_talk_seconds", None),
        ("sample_percent", 100.1),
        ("sample_percent", float("nan")),
        ("daily_cap", -1),
        ("max_age_hours", float("inf")),
        ("call_delay_seconds", 10**12),
        ("call_delay_seconds", 48 * 3600),
        ("consent_countries", "PL"),
        ("consent_countries", None),
        ("consent_countries", ["Poland"]),
        ("consent_countries", [["PL"]]),
        ("country_hours", ["GB"]),
        ("country_hours", {"GB": "always"}),
        ("country_hours", {"gb": "09:00-20:00"}),
        ("country_call_limits", {"FR": "4"}),
        ("country_call_limits", {"FR": True}),
        ("channels", []),
        ("channels", ["voice", "voice"]),
        ("channels", "voice"),
        ("survey_evry_days", 90),
    ],
)
def test_a_bad_value_is_refused_with_its_field(key: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        checked(SETTINGS, {key: value})
    assert [problem.field for problem in refused.value.problems] == [key]


def test_every_bad_value_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        checked(SETTINGS, {"daily_cap": -1, "sample_percent": "all", "min_talk_seconds": 5, "half": 1})
    assert {problem.field for problem in refused.value.problems} == {"daily_cap", "sample_percent", "half"}


@pytest.mark.parametrize(
    ("own", "survey_by", "channels"),
    [
        ({"channels": ["sms", "voice"]}, "sms", ("sms", "voice")),
        ({"channels": ["sms", "voice"], "survey_by": "sms"}, "sms", ("sms", "voice")),
        ({"survey_by": "chat"}, "chat", ()),
    ],
)
def test_a_queues_first_channel_is_the_one_it_is_surveyed_by(
    own: dict[str, Any], survey_by: str, channels: tuple[str, ...]
) -> None:
    queue = effective(SETTINGS, checked(SETTINGS, own))
    assert (queue.survey_by, queue.channels) == (survey_by, channels)


def test_a_queue_is_surveyed_by_no_other_than_its_first_channel() -> None:
    with pytest.raises(Invalid, match="survey_by: must be the first of channels"):
        checked(SETTINGS, {"channels": ["voice", "sms"], "survey_by": "sms"})


def test_what_an_older_version_stored_is_passed_over() -> None:
    assert effective(SETTINGS, {"of_old": 1, "ring_seconds": 20}).ring_seconds == 20


def test_every_setting_of_a_queue_has_a_documented_line_and_every_line_a_setting() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    section = page.partition("\n## Queues\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == [
        f"| `{name}` | {shown(field)} | {field.description} |"
        for name, field in QueueSettings.model_fields.items()
    ]


def shown(field: FieldInfo) -> str:
    match field.get_default():
        case str() | int() | float() as default:
            return f"`{json.dumps(default)}`"
        case _:
            return "by law" if field.default_factory else ""


@pytest.mark.parametrize(
    "brand", ["bell \x07", "two\nlines", "\x1b[31mred", "line\u2028separator", "nul\x00"]
)
def test_a_brand_that_no_voice_can_say_stops_the_start(brand: str) -> None:
    with pytest.raises(ValidationError, match=r"control characters|NUL"):
        Settings(_env_file=None, brand=brand)
