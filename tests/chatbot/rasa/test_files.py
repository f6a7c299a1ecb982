"""What a Rasa assistant adds to its project fits what our action server does."""

import re

import yaml

from app.chatbot.rasa_survey import CUSTOMER_KEYS, INTERACTION_KEYS
from tests.chatbot.rasa.assistant import DOMAIN, FLOWS
from tests.transcripts import DIRECTORY

DOCUMENT = (DIRECTORY.parents[1] / "docs" / "rasa.md").read_text(encoding="utf-8")


def test_every_file_is_yaml_and_is_documented() -> None:
    paths = sorted(path for path in FLOWS.rglob("*") if path.is_file())
    assert len(paths) == 6
    for path in paths:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))
        assert f"`{path.relative_to(FLOWS)}`" in DOCUMENT


def test_rules_name_only_what_the_domain_knows() -> None:
    rules = yaml.safe_load((FLOWS / "data" / "nps_rules.yml").read_text(encoding="utf-8"))["rules"]
    steps = [step for rule in rules for step in rule["steps"]]
    actions = {step["action"] for step in steps if "action" in step}
    assert actions <= {*DOMAIN["actions"], *DOMAIN["forms"]}
    assert {step["intent"] for step in steps if "intent" in step} == set(DOMAIN["intents"])


def test_every_metadata_key_is_documented_and_no_other() -> None:
    section = DOCUMENT.split("## Metadata")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert documented == {*INTERACTION_KEYS, *CUSTOMER_KEYS, "token", "interaction"}
