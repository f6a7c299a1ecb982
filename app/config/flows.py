"""Flow files and wording files: read, checked against their schemas, and made into the survey's own objects."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from app.config import files
from app.errors import FileError, FlowError
from app.survey import (
    Branch,
    Button,
    CollectStep,
    Flow,
    Flows,
    NoopStep,
    PromptTexts,
    Question,
    Rejection,
    SayStep,
    Step,
    Vocabulary,
    Wording,
    placeholders,
)
from app.survey.conditions import Condition, ConditionError, parse
from app.survey.flow import END
from app.survey.languages import spelled
from app.survey.wording import DEFAULT

ONLY_FOR = {
    "range": "score",
    "read_back": "score",
    "one_or_ten": "score",
    "keys_only_after": "score",
    "recorded": "comment",
}
HEARD_NAMES = frozenset({"unclear", "keys_only"})


def load_flows(directory: Path) -> Flows:
    """Every flow of ``directory/*.yml`` by its id, worded by every ``directory/text/*.yml``.

    Wording that reads as it did the last time is not compiled again. Raises `FlowError` naming the file, the key and
    the reason for the first thing that is wrong.
    """
    languages = {
        path.stem: _wording(path, _text(path)) for path in sorted((directory / "text").glob("*.yml"))
    }
    _check_aliases(directory / "text", languages)
    flows = Flows()
    for path in sorted(directory.glob("*.yml")):
        flow = _flow(path, languages)
        if flow.id in flows:
            raise FlowError(str(path), f"flows.{flow.id}", "another file already has a flow of this name")
        _check_wording(directory, flow)
        flows[flow.id] = flow
    if not flows:
        raise FlowError(str(directory), "*.yml", "there is no flow file here")
    return flows


@lru_cache(maxsize=8)
def _schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8")))


def _text(path: Path) -> str:
    try:
        return files.text_of(path)
    except FileError as error:
        raise FlowError(error.file, error.key, error.reason) from None


def _document(path: Path, text: str, schema: str) -> Any:
    try:
        document = files.parse(path, text, variables=False)
    except FileError as error:
        raise FlowError(error.file, error.key, error.reason) from None
    wrong = best_match(_schema(schema).iter_errors(document))
    if wrong is not None:
        raise FlowError(str(path), _dotted(wrong.absolute_path), wrong.message)
    return document


def _dotted(parts: Iterable[str | int]) -> str:
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return dotted.lstrip(".") or files.WHOLE


@lru_cache(maxsize=16)
def _wording(path: Path, text: str) -> Wording:
    document = _document(path, text, "wording.schema.json")
    language = document["language"]
    if language != path.stem:
        raise FlowError(str(path), "language", f"is {language!r}, and the file's name says {path.stem!r}")
    try:
        vocabulary = Vocabulary.build(language, document["hearing"])
    except FlowError as error:
        raise FlowError(str(path), error.key, error.reason) from None
    return Wording(
        language=language,
        version=document["version"],
        locale=document["locale"],
        voice=document["voice"],
        speech_language=document["speech_language"],
        responses={name: _response(path, name, each) for name, each in document["responses"].items()},
        replies={name: Button(**button) for name, button in document["replies"].items()},
        labels=document["labels"],
        vocabulary=vocabulary,
        aliases=tuple(document.get("aliases", ())),
    )


def _check_aliases(directory: Path, languages: Mapping[str, Wording]) -> None:
    """No name leads to two languages."""
    claims = {language: language for language in languages}
    for language, wording in languages.items():
        for place, alias in enumerate(wording.aliases):
            other = claims.setdefault(spelled(alias), language)
            if other != language:
                file = str(directory / f"{language}.yml")
                raise FlowError(file, f"aliases[{place}]", f"{alias!r} already leads to {other}.yml")


def _response(path: Path, name: str, variants: list[dict[str, str]]) -> PromptTexts:
    texts: dict[str, str] = {}
    for number, variant in enumerate(variants):
        where, channel = f"responses.{name}[{number}]", variant.get("channel", DEFAULT)
        if channel in texts:
            raise FlowError(str(path), where, f"a second variant for {channel}")
        try:
            placeholders(variant["text"])
        except ValueError as error:
            raise FlowError(str(path), f"{where}.text", str(error)) from None
        texts[channel] = variant["text"]
    return PromptTexts(texts)


def _flow(path: Path, languages: Mapping[str, Wording]) -> Flow:
    document = _document(path, _text(path), "flow.schema.json")
    [(flow_id, body)] = document["flows"].items()
    default = document.get("default_language", "en")
    if default not in languages:
        raise FlowError(str(path), "default_language", f"there is no text/{default}.yml")
    questions = {name: _question(path, name, slot) for name, slot in document["slots"].items()}
    _one_of_a_kind(path, questions)
    steps = _Steps(path, f"flows.{flow_id}.steps", questions).build(body["steps"])
    return Flow(
        id=flow_id,
        version=document["version"],
        description=body["description"],
        max_turns=document.get("max_turns", 20),
        default_language=default,
        steps=steps,
        questions=questions,
        languages=languages,
    )


def _question(path: Path, name: str, slot: dict[str, Any]) -> Question:
    for key, kind in ONLY_FOR.items():
        if key in slot and slot["kind"] != kind:
            raise FlowError(str(path), f"slots.{name}.{key}", f"belongs to questions of kind {kind} only")
    question = Question(**{key: value for key, value in slot.items() if key != "range"})
    if (question.keys_only_after or 0) > question.max_tries:
        raise FlowError(
            str(path), f"slots.{name}.keys_only_after", "is more than max_tries, so it never comes"
        )
    return question


def _one_of_a_kind(path: Path, questions: Mapping[str, Question]) -> None:
    seen: dict[str, str] = {}
    for name, question in questions.items():
        if question.kind in seen:
            reason = (
                f"{seen[question.kind]!r} is of kind {question.kind} too, and a response has room for one"
            )
            raise FlowError(str(path), f"slots.{name}.kind", reason)
        seen[question.kind] = name


class _Steps:
    """The steps of one file, each checked as it is built."""

    def __init__(self, path: Path, where: str, questions: Mapping[str, Question]) -> None:
        self.path, self.where, self.questions = path, where, questions
        self.slot_names = frozenset(f"slots.{name}" for name in questions)

    def build(self, bodies: list[dict[str, Any]]) -> Mapping[str, Step]:
        steps: dict[str, Step] = {}
        for number, body in enumerate(bodies):
            if body["id"] in steps:
                raise self._wrong(number, "id", f"{body['id']!r} is there twice")
            following = bodies[number + 1]["id"] if number + 1 < len(bodies) else END
            steps[body["id"]] = self._step(number, body, following)
        for number, step in enumerate(steps.values()):
            for branch in step.next:
                if branch.then != END and branch.then not in steps:
                    raise self._wrong(number, "next", f"there is no step {branch.then!r}")
        self._check_ways(steps)
        return steps

    def _step(self, number: int, body: dict[str, Any], following: str) -> Step:
        ways = self._branches(number, body.get("next", following))
        if "action" in body:
            return SayStep(body["id"], body["action"], ways)
        if "noop" in body:
            return NoopStep(body["id"], ways)
        slot = body["collect"]
        if slot not in self.questions:
            raise self._wrong(number, "collect", f"there is no slot {slot!r}")
        rejections = tuple(
            Rejection(
                self._condition(number, f"rejections[{place}].if", rejection["if"], HEARD_NAMES),
                rejection["utter"],
            )
            for place, rejection in enumerate(body.get("rejections", []))
        )
        return CollectStep(body["id"], slot, body.get("utter", f"ask_{slot}"), rejections, ways)

    def _branches(self, number: int, ways: str | list[dict[str, str]]) -> tuple[Branch, ...]:
        if isinstance(ways, str):
            return (Branch(ways),)
        for place, way in enumerate(ways):
            if ("else" in way) != (place == len(ways) - 1):
                raise self._wrong(number, f"next[{place}]", "the last way, and only the last, is an else")
        return tuple(
            Branch(way["else"])
            if "else" in way
            else Branch(way["then"], self._condition(number, f"next[{place}].if", way["if"], frozenset()))
            for place, way in enumerate(ways)
        )

    def _condition(self, number: int, key: str, source: str, more: frozenset[str]) -> Condition:
        try:
            condition = parse(source)
        except ConditionError as error:
            raise self._wrong(number, key, str(error)) from None
        unknown = sorted(condition.names - self.slot_names - more)
        if unknown:
            raise self._wrong(number, key, f"does not know {unknown[0]!r}")
        return condition

    def _check_ways(self, steps: Mapping[str, Step]) -> None:
        """Every step can be reached, and none leads back: re-asking is the engine's, and bounded there."""
        numbers = {name: number for number, name in enumerate(steps)}
        done: set[str] = set()

        def visit(name: str, before: tuple[str, ...]) -> None:
            if name in before:
                raise self._wrong(numbers[before[-1]], "next", f"leads back to {name!r}")
            if name in done or name == END:
                return
            for branch in steps[name].next:
                visit(branch.then, (*before, name))
            done.add(name)

        visit(next(iter(steps)), ())
        for name, number in numbers.items():
            if name not in done:
                raise self._wrong(number, "id", "no step leads here")

    def _wrong(self, number: int, key: str, reason: str) -> FlowError:
        return FlowError(str(self.path), f"{self.where}[{number}].{key}", reason)


def _check_wording(directory: Path, flow: Flow) -> None:
    """Every language words every prompt, and only a read-back speaks of the score."""
    reading_back = {each.read_back for each in flow.questions.values()}
    for language, wording in flow.languages.items():
        file = str(directory / "text" / f"{language}.yml")
        for name in sorted(flow.prompts()):
            if name not in wording.responses:
                raise FlowError(file, f"responses.{name}", f"the flow {flow.id!r} needs this")
            if "score" in wording.responses[name].placeholders and name not in reading_back:
                raise FlowError(
                    file, f"responses.{name}", "{score} is known only to the prompt that reads it back"
                )
