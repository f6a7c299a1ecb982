"""Flow files: the shipped ones load, and a bad one is refused with its file, key and reason."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.config import load_flows
from app.errors import FlowError
from app.survey import CollectStep
from app.survey.vocabulary import OTHER_KEYS, PHRASE_KEYS

FLOWS = Path("flows")
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The shipped flow in two of its languages, to be spoiled."""
    (tmp_path / "text").mkdir()
    for name in ("nps.yml", "text/en.yml", "text/pl.yml"):
        shutil.copy(FLOWS / name, tmp_path / name)
    return tmp_path


def edit(path: Path, change: Edit) -> None:
    document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    change(document)
    path.write_text(
        yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )


def refusal(directory: Path) -> FlowError:
    with pytest.raises(FlowError) as caught:
        load_flows(directory)
    return caught.value


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["flows"]["nps"]["steps"]
    return found


def test_the_shipped_flow_loads() -> None:
    flow = load_flows(FLOWS)["nps"]
    assert flow.first == "greeting"
    assert flow.version
    assert isinstance(flow.steps["score"], CollectStep)
    assert flow.questions["reason"].optional


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (lambda flow: flow.pop("version"), "whole file", "'version' is a required property"),
        (lambda flow: flow.update(colour="red"), "whole file", "'colour' was unexpected"),
        (lambda flow: flow.update(default_language="de"), "default_language", "no text/de.yml"),
        (lambda flow: flow["slots"]["score"].update(kind="stars"), "slots.score.kind", "'stars'"),
        (
            lambda flow: flow["slots"]["score"].update(range=[1, 5]),
            "slots.score.range",
            "[0, 10] was expected",
        ),
        (lambda flow: flow["slots"]["reason"].update(range=[0, 10]), "slots.reason.range", "kind score only"),
        (
            lambda flow: flow["slots"]["score"].update(keys_only_after=3),
            "slots.score.keys_only_after",
            "max_tries",
        ),
        (lambda flow: flow["slots"]["reason"].update(kind="score", recorded=False), "slots.reason", "kind"),
        (
            lambda flow: flow["slots"].update(again={"kind": "comment", "silence_seconds": 4}),
            "slots.again.kind",
            "'reason' is of kind comment too",
        ),
        (lambda flow: steps(flow)[0].update(next="nowhere"), "flows.nps.steps[0].next", "no step 'nowhere'"),
        (
            lambda flow: steps(flow)[1].update(collect="nothing"),
            "flows.nps.steps[1].collect",
            "no slot 'nothing'",
        ),
        (lambda flow: steps(flow)[2].update(id="score"), "flows.nps.steps[2].id", "there twice"),
        (
            lambda flow: steps(flow)[3].update(next="score"),
            "flows.nps.steps[3].next",
            "leads back to 'score'",
        ),
        (
            lambda flow: steps(flow)[0].update(next="thanks_promoter"),
            "flows.nps.steps[1].id",
            "no step leads here",
        ),
        (
            lambda flow: steps(flow)[0].update(utter="ask_score"),
            "flows.nps.steps[0]",
            "'collect' is a dependency",
        ),
        (lambda flow: steps(flow)[1]["next"].pop(), "flows.nps.steps[1].next[1]", "is an else"),
        (
            lambda flow: steps(flow)[1]["next"][0].update({"if": "slots.score >="}),
            "flows.nps.steps[1].next[0].if",
            "ends too early",
        ),
        (
            lambda flow: steps(flow)[1]["next"][0].update({"if": "slots.scrore >= 9"}),
            "flows.nps.steps[1].next[0].if",
            "does not know 'slots.scrore'",
        ),
        (
            lambda flow: steps(flow)[1]["next"][0].update({"if": "keys_only"}),
            "flows.nps.steps[1].next[0].if",
            "does not know 'keys_only'",
        ),
        (
            lambda flow: steps(flow)[1]["rejections"][0].update({"if": "(unclear"}),
            "flows.nps.steps[1].rejections[0].if",
            "closing bracket",
        ),
    ],
)
def test_a_bad_flow_is_refused_with_file_key_and_reason(
    directory: Path, change: Edit, key: str, reason: str
) -> None:
    edit(directory / "nps.yml", change)
    error = refusal(directory)
    assert error.file == str(directory / "nps.yml")
    assert error.key.startswith(key)
    assert reason in error.reason
    assert str(error) == f"{error.file}: {error.key}: {error.reason}"


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (lambda text: text.pop("voice"), "whole file", "'voice' is a required property"),
        (lambda text: text.update(language="de"), "language", "the file's name says 'pl'"),
        (lambda text: text["responses"].pop("goodbye"), "responses.goodbye", "the flow 'nps' needs this"),
        (lambda text: text["responses"].pop("ask_score"), "responses.ask_score", "needs this"),
        (
            lambda text: text["responses"].update(greeting=[{"text": "Hi {name}"}]),
            "responses.greeting[0].text",
            "{name} is not one of brand, score",
        ),
        (
            lambda text: text["responses"].update(greeting=[{"text": "You said {score}"}]),
            "responses.greeting",
            "reads it back",
        ),
        (
            lambda text: text["responses"].update(greeting=[{"text": "a"}, {"text": "b"}]),
            "responses.greeting[1]",
            "a second variant for default",
        ),
        (
            lambda text: text["responses"].update(greeting=[{"text": "a", "channel": "fax"}]),
            "responses.greeting[0].channel",
            "'fax' is not one of",
        ),
        (lambda text: text["replies"].pop("skip"), "replies", "'skip' is a required property"),
        (lambda text: text["labels"].update(send=""), "labels.send", "non-empty"),
    ],
)
def test_bad_wording_is_refused_with_file_key_and_reason(
    directory: Path, change: Edit, key: str, reason: str
) -> None:
    edit(directory / "text" / "pl.yml", change)
    error = refusal(directory)
    assert error.file == str(directory / "text" / "pl.yml")
    assert error.key == key
    assert reason in error.reason


@pytest.mark.parametrize("content", ["", "[]", "just text", "version: 1"])
def test_a_file_of_another_kind_is_refused(directory: Path, content: str) -> None:
    (directory / "nps.yml").write_text(content)
    assert refusal(directory).key in {"whole file", "version"}


def test_broken_yaml_is_refused_with_its_line(directory: Path) -> None:
    (directory / "nps.yml").write_text('version: "1"\nflows: {nps: [\n')
    assert refusal(directory).key.startswith("line ")


def test_text_that_is_not_utf_8_is_refused(directory: Path) -> None:
    (directory / "nps.yml").write_bytes(b"version: \xff\xfe")
    assert "utf-8" in refusal(directory).reason


def test_a_key_written_twice_is_refused(directory: Path) -> None:
    path = directory / "nps.yml"
    path.write_text(path.read_text() + '\nversion: "2.0"\n')
    error = refusal(directory)
    assert error.key.startswith("line ")
    assert "'version' is there twice" in error.reason


def test_no_is_a_word_and_not_a_boolean(directory: Path) -> None:
    path = directory / "text" / "en.yml"
    path.write_text(
        path.read_text().replace('"no": {title: "No", payload: "no"}', "no: {title: No, payload: no}")
    )
    assert load_flows(directory)["nps"].wording("en").replies["no"].payload == "no"


def test_two_files_with_one_flow_are_refused(directory: Path) -> None:
    shutil.copy(directory / "nps.yml", directory / "other.yml")
    error = refusal(directory)
    assert (error.file, error.key) == (str(directory / "other.yml"), "flows.nps")


def test_a_second_flow_stands_beside_the_first(directory: Path) -> None:
    shutil.copy(directory / "nps.yml", directory / "brief.yml")

    def shorten(flow: dict[str, Any]) -> None:
        flow["flows"] = {
            "brief": {"description": "One question.", "steps": [{"id": "only", "collect": "score"}]}
        }

    edit(directory / "brief.yml", shorten)
    flows = load_flows(directory)
    assert set(flows) == {"nps", "brief"}
    only = flows["brief"].steps["only"]
    assert isinstance(only, CollectStep)
    assert (only.utter, only.next[0].then) == ("ask_score", "END")


def test_a_language_is_added_by_a_file_alone(directory: Path) -> None:
    source = (directory / "text" / "en.yml").read_text()
    (directory / "text" / "da.yml").write_text(
        re.sub("\nlanguage: en\naliases: .*\n", "\nlanguage: da\n", source)
    )
    assert load_flows(directory)["nps"].wording("da").language == "da"


@pytest.mark.parametrize(
    ("alias", "key", "reason"),
    [
        ("English", "aliases[1]", "'English' already leads to en.yml"),
        ("EN", "aliases[1]", "'EN' already leads to en.yml"),
        ("", "aliases[1]", "does not match"),
        (7, "aliases[1]", "not of type 'string'"),
    ],
)
def test_a_name_leads_to_one_language(directory: Path, alias: object, key: str, reason: str) -> None:
    edit(directory / "text" / "pl.yml", lambda text: text.update(aliases=["polski", alias]))
    refused = refusal(directory)
    assert (Path(refused.file).name, refused.key) == ("pl.yml", key)
    assert reason in refused.reason


def test_an_alias_gives_way_to_a_file_of_that_name_by_the_operators_hand_alone(directory: Path) -> None:
    shutil.copy(FLOWS / "text" / "nb.yml", directory / "text" / "nb.yml")
    source = (directory / "text" / "nb.yml").read_text().replace("\nlanguage: nb\n", "\nlanguage: nn\n")
    (directory / "text" / "nn.yml").write_text(re.sub("\naliases: .*\n", "\n", source))
    assert str(refusal(directory)).endswith("nb.yml: aliases[1]: 'nn' already leads to nn.yml")


def test_a_directory_without_flows_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).reason == "there is no flow file here"


def keys(schema: Any) -> Iterator[str]:
    """Every property name that a schema allows, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys(part)


def allowed() -> set[str]:
    schemas = [Path("app/config/flow.schema.json"), Path("app/config/wording.schema.json")]
    return {key for schema in schemas for key in keys(json.loads(schema.read_text(encoding="utf-8")))}


def test_every_key_has_a_documented_line_and_every_line_a_key() -> None:
    page = Path("docs/flows.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    prompts = load_flows(FLOWS)["nps"].prompts()
    assert documented - prompts == allowed() | PHRASE_KEYS.keys() | OTHER_KEYS


def test_every_standard_prompt_is_documented() -> None:
    page = Path("docs/flows.md").read_text(encoding="utf-8")
    for name in load_flows(FLOWS)["nps"].prompts():
        assert f"`{name}`" in page
