"""The alerts file: what it may say, and how its mistakes are told."""

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from app.alerts import Alerts, AlertsFile, read_alerts
from app.alerts.file import FileGiven, QuietHoursGiven, RuleGiven, StormGiven
from app.alerts.timing import QuietHours, Storm
from app.config import Settings
from app.errors import StartError
from app.jobs import Jobs
from app.store import Pool

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/alerts.yml"
ADDRESSES = {
    "ALERTS_SLACK_BILLING": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "ALERTS_MAIL_SHIFT_MANAGER": "mailto://zeroten:hush@mail.example?to=shift@team.example",
    "ALERTS_TEAMS_ON_CALL": "workflows://prod-1.westus.logic.azure.com:443/abcdef/sig",
}
SECRET = "TheSecretOfTheHook"
LEAST: dict[str, Any] = {
    "recipients": {"ewa": f"json://hook.example/{SECRET}"},
    "rules": [{"name": "all", "to": ["ewa"]}],
}


def read(tmp_path: Path, content: Mapping[str, Any] | str, **changes: Any) -> AlertsFile:
    path = tmp_path / "alerts.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(dict(content)), encoding="utf-8")
    return read_alerts(path, Settings(_env_file=None, **changes))


def rule(tmp_path: Path, top: Mapping[str, Any] | None = None, **keys: Any) -> Any:
    content = LEAST | dict(top or {}) | {"rules": [LEAST["rules"][0] | keys]}
    return read(tmp_path, content).rulebook.rules[0]


def test_the_example_is_read_and_means_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    found = read_alerts(EXAMPLE, Settings(_env_file=None))
    assert {name: each.kind for name, each in found.services.items()} == {
        "billing leads": "Slack",
        "shift manager": "E-Mail",
        "on call": "Power Automate / Workflows (for MSTeams)",
    }
    billing, threats, call_back, digest = found.rulebook.rules
    night = QuietHours(time(20), time(7), ZoneInfo("Europe/Warsaw"))
    assert (billing.queues, billing.bands, billing.quiet_hours, billing.phone) == (
        frozenset({"billing"}), frozenset({"detractor"}), night, False,
    )  # fmt: skip
    assert threats.words is not None
    assert threats.words.found_in("Rozmawiam z prawnikiem")
    assert (threats.quiet_hours, threats.phone, threats.language) == (None, True, "en")
    assert (call_back.callback, call_back.languages, call_back.language) == (True, frozenset({"pl"}), "pl")
    assert (digest.scores, digest.digest_at) == (frozenset(range(5)), (time(8), time(16)))
    assert found.rulebook.operators == ("on call",)
    assert found.rulebook.storm == Storm(5, timedelta(minutes=10))


def test_the_least_that_is_needed_has_good_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, LEAST, reporting_timezone="Europe/Oslo", default_language="nb")
    (only,) = found.rulebook.rules
    assert (only.zone.key, only.language, only.quiet_hours, only.phone) == ("Europe/Oslo", "nb", None, False)
    assert found.rulebook.storm == Storm(5, timedelta(minutes=10))


def test_times_may_be_written_without_quotes(tmp_path: Path) -> None:
    text = (
        f"recipients: {{ewa: json://hook.example/{SECRET}}}\n"
        "quiet_hours: {from: 20:00, until: 07:30}\n"
        "rules: [{name: all, to: [ewa], send: digest, digest_at: [8:00, 16:15], time_zone: Europe/Oslo}]\n"
    )
    only = read(tmp_path, text).rulebook.rules[0]
    assert only.quiet_hours == QuietHours(time(20), time(7, 30), ZoneInfo("Europe/Oslo"))
    assert only.digest_at == (time(8), time(16, 15))


@pytest.mark.parametrize(
    ("given", "scores"),
    [("0-6", set(range(7))), ([0, 10], {0, 10}), (["0-2", 9], {0, 1, 2, 9}), (0, {0}), ("7 - 8", {7, 8})],
)
def test_scores_are_a_list_or_a_range(tmp_path: Path, given: object, scores: set[int]) -> None:
    assert rule(tmp_path, scores=given).scores == scores


def test_a_rule_overrides_what_holds_for_all(tmp_path: Path) -> None:
    top = {"language": "fr", "time_zone": "Europe/Paris", "quiet_hours": {"from": "22:00", "until": "06:00"}}
    own = {"language": "pl", "time_zone": "Europe/Warsaw", "quiet_hours": {"from": "21:00", "until": "06:00"}}
    assert rule(tmp_path, top).quiet_hours == QuietHours(time(22), time(6), ZoneInfo("Europe/Paris"))
    overridden = rule(tmp_path, top, **own)
    assert (overridden.language, overridden.quiet_hours.begin) == ("pl", time(21))
    assert rule(tmp_path, top, in_quiet_hours="send").quiet_hours is None


ONE = LEAST["rules"][0]
NIGHTLY = {"send": "digest", "digest_at": ["21:00"], "quiet_hours": {"from": "20:00", "until": "07:00"}}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "must hold keys"),
        ("a: [", "is not YAML"),
        ("recipients: {ewa: ${HOOK}}", "inside braces, ${NAME} needs quotes"),
        (LEAST | {"rules": [ONE | {"to": "ewa"}]}, "rules.0.to: must be a list"),
        (LEAST | {"quiet_hours": "20:00-07:00"}, "quiet_hours: must hold keys with values"),
        ({"rules": [ONE]}, "recipients: is needed"),
        (LEAST | {"rule": []}, "rule: there is no such key here"),
        (LEAST | {"recipients": {}}, "recipients: "),
        (LEAST | {"recipients": {"ewa": f"nope://{SECRET}"}}, "recipients.ewa: is no address that apprise understands"),
        (LEAST | {"recipients": {"ewa": f"mailto://u:{SECRET}@h.example?to=a@b.example,c@d.example"}},
         "recipients.ewa: names several receivers"),
        (LEAST | {"recipients": {"ewa": f"json://h.example/{SECRET}", "ola": f"json://h.example/{SECRET}"}},
         "recipients.ola: has the same address as ewa"),
        (LEAST | {"recipients": {"ewa": "${NOBODY_SET_THIS}"}},
         "recipients.ewa: the environment has no NOBODY_SET_THIS"),
        (LEAST | {"recipients": {"ewa": 5}}, "recipients.ewa: must be text; a number"),
        (LEAST | {"rules": []}, "rules: there is no rule"),
        (LEAST | {"rules": [ONE, ONE]}, "rules.1.name: another rule has this name"),
        (LEAST | {"rules": [ONE | {"to": ["ola"]}]}, "rules.0.to: ola is not among recipients"),
        (LEAST | {"rules": [ONE | {"to": []}]}, "rules.0.to: "),
        (LEAST | {"operators": ["ola"]}, "operators.0: ola is not among recipients"),
        (LEAST | {"rules": [ONE | {"bands": ["unhappy"]}]}, "rules.0.bands.0: Input should be 'promoter'"),
        (LEAST | {"rules": [ONE | {"scores": "6-0"}]}, "rules.0.scores: must be scores from 0 to 10"),
        (LEAST | {"rules": [ONE | {"scores": [11]}]}, "rules.0.scores: must be scores from 0 to 10"),
        (LEAST | {"rules": [ONE | {"words": ["!"]}]}, "rules.0.words: '!' is no word"),
        (LEAST | {"rules": [ONE | {"words": [False]}]}, "rules.0.words: must be a list of words"),
        (LEAST | {"rules": [ONE | {"words": "cancel"}]}, "rules.0.words: must be a list of words"),
        (LEAST | {"rules": [ONE | {"send": "digest"}]}, "rules.0: send: digest and digest_at go together"),
        (LEAST | {"rules": [ONE | {"digest_at": ["08:00"]}]}, "rules.0: send: digest and digest_at go together"),
        (LEAST | {"rules": [ONE | {"send": "digest", "digest_at": ["24:00"]}]},
         'digest_at.0: must be a time such as "08:30"'),
        (LEAST | {"rules": [ONE | NIGHTLY]},
         "rules.0.digest_at: 21:00 lies in the quiet hours"),
        (LEAST | {"quiet_hours": {"from": "20:00", "until": "20:00"}}, "quiet_hours: from and until must differ"),
        (LEAST | {"quiet_hours": {"from": "20:00"}}, "quiet_hours.until: is needed"),
        (LEAST | {"time_zone": "Warsaw"}, "time_zone: must be a time zone such as Europe/Warsaw"),
        (LEAST | {"time_zone": ""}, "time_zone: must be a time zone"),
        (LEAST | {"language": "de"}, "language: must be one of en, fr, nb, pl"),
        (LEAST | {"storm": {"more_than": 0}}, "storm.more_than: Input should be greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_mistake_stops_the_start_and_names_file_and_key(
    tmp_path: Path, content: Mapping[str, Any] | str, says: str
) -> None:
    with pytest.raises(StartError) as refused:
        read(tmp_path, content)
    assert str(refused.value).startswith(f"{tmp_path / 'alerts.yml'}: ")
    assert says in str(refused.value)
    assert SECRET not in str(refused.value)


async def test_the_file_makes_the_alerts_and_without_one_there_are_none(
    pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    nobody = Alerts.from_settings(settings, pool, Jobs(pool))
    assert not nobody.rulebook.rules
    path = tmp_path / "alerts.yml"
    path.write_text(yaml.safe_dump(LEAST), encoding="utf-8")
    alerts = Alerts.from_settings(settings.model_copy(update={"alerts_file": path}), pool, Jobs(pool))
    assert list(alerts.services) == ["ewa"]


def test_every_key_is_in_the_documentation() -> None:
    page = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    for model in (FileGiven, RuleGiven, QuietHoursGiven, StormGiven):
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in page, name
