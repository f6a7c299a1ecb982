"""Twilio's own OpenAPI description, to hold requests and responses against.

It ships in the npm package ``@twilio/cli-core`` and is not ours to keep here: `load` fetches it with ``npm pack``
once, into ``.cache/`` (ignored by git), and raises `DescriptionMissing` where npm or the network is not there.
Made stricter and quicker than it comes:

- only calls, messages, recordings and the messages of conversations are kept, and the description is not checked
  itself: 0.02 s instead of 2.5 s;
- a field or query parameter that the description does not know is an error;
- array fields get ``style: form, explode: true``, which Twilio means by a repeated key and does not say.

It knows neither the audio of a recording (``Recordings/{Sid}.wav``) nor any error response, and takes numbers that
are not E.164 and messages without ``From`` or ``Body``.
"""

import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

import httpx
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

PACKAGE = "@twilio/cli-core@8.3.2"
MEMBERS = "package/src/services/twilio-api"
CACHE = Path(__file__).parents[2] / ".cache"
ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"


@dataclass(frozen=True)
class Part:
    """One of Twilio's interfaces: its file, its host, and the paths that are kept of it."""

    name: str
    host: str
    version: str
    paths: tuple[str, ...]

    @property
    def cached(self) -> Path:
        """Where the file is kept."""
        return CACHE / f"{self.name}-8.3.2.json"


CORE = Part(
    "twilio_api_v2010",
    "https://api.twilio.com",
    "/2010-04-01",
    tuple(
        f"{ACCOUNT}/{rest}"
        for rest in (
            "Calls.json",
            "Calls/{Sid}.json",
            "Messages.json",
            "Messages/{Sid}.json",
            "Recordings/{Sid}.json",
        )
    ),
)
CONVERSATIONS = Part(
    "twilio_conversations_v1",
    "https://conversations.twilio.com",
    "/v1",
    ("/v1/Conversations/{ConversationSid}/Messages",),
)
PARTS = (CORE, CONVERSATIONS)
FORM = "application/x-www-form-urlencoded"
VERBS = ("get", "post", "delete")


class DescriptionMissing(Exception):
    """The description cannot be had here; the message says why."""


class UnknownParameter(Exception):
    """A field or query parameter the description does not have: Twilio would ignore it in silence."""


class Description:
    """Twilio's description of one of its REST interfaces."""

    def __init__(self, part: Part, document: dict[str, Any]) -> None:
        self.part, self._document = part, _trim(document, part.paths)
        unchecked = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # its documentation takes None
        self._api = OpenAPI.from_dict(self._document, config=unchecked)

    def validate_request(self, request: httpx.Request) -> None:
        """Raise unless Twilio would take this request; any host and any path before the version will do."""
        described = self._described(request)
        self._api.validate_request(described)
        if unknown := _names(request) - _known(self._operation(described)):
            raise UnknownParameter(", ".join(sorted(unknown)))

    def validate_response(self, request: httpx.Request, response: httpx.Response) -> None:
        """Raise unless this is how Twilio answers this request, which was granted; there must be a body to read."""
        content_type = response.headers.get("content-type", "").lower()
        answer = MockResponse(response.content, response.status_code, dict(response.headers), content_type)
        self._api.validate_response(self._described(request), answer)

    def _described(self, request: httpx.Request) -> MockRequest:
        path = request.url.path
        return MockRequest(
            self.part.host,
            request.method,
            path[path.index(self.part.version) :],
            args=dict(request.url.params),
            headers=dict(request.headers),
            data=request.content,
            content_type=request.headers.get("content-type", "").lower(),
        )

    def _operation(self, described: MockRequest) -> dict[str, Any]:
        for path, operations in self._document["paths"].items():
            if _fits(described.path, path):
                return cast("dict[str, Any]", operations[described.method])
        raise AssertionError(f"{described.path} passed, but is not described")


def load(part: Part = CORE) -> Description:
    """The description, fetched if it is not there yet; raises `DescriptionMissing`."""
    if not part.cached.exists():
        _fetch()
    return Description(part, json.loads(part.cached.read_text(encoding="utf-8")))


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DescriptionMissing("Twilio's OpenAPI description needs npm, which is not installed")
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    with tempfile.TemporaryDirectory(dir=CACHE) as directory:
        command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", directory, PACKAGE]
        try:
            subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError) as error:
            raise DescriptionMissing(f"npm pack {PACKAGE} failed ({type(error).__name__})") from error
        archive = next(Path(directory).glob("*.tgz"))
        for part in PARTS:
            taken = Path(directory, f"{part.name}.json")
            taken.write_bytes(_member(archive, f"{MEMBERS}/{part.name}.json"))
            # In one step, so that a test run beside this one never reads half a file.
            taken.replace(part.cached)


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as files:
        found = files.extractfile(name)
        if found is None:
            raise DescriptionMissing(f"{PACKAGE} holds no {name}")
        return found.read()


def _trim(document: dict[str, Any], kept: tuple[str, ...]) -> dict[str, Any]:
    paths = {path: document["paths"][path] for path in kept}
    for path in paths.values():
        for verb in VERBS:
            content = path.get(verb, {}).get("requestBody", {}).get("content", {})
            if FORM in content:
                arrays = [
                    name for name, field in _fields(content[FORM]).items() if field.get("type") == "array"
                ]
                content[FORM]["encoding"] = {name: {"style": "form", "explode": True} for name in arrays}
    return document | {"paths": paths}


def _fits(path: str, pattern: str) -> bool:
    pairs = zip_longest(path.split("/"), pattern.split("/"), fillvalue="")
    return all(part == expected or expected.startswith("{") for part, expected in pairs)


def _fields(form: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", form.get("schema", {}).get("properties", {}))


def _known(operation: dict[str, Any]) -> set[str]:
    query = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    return query | _fields(operation.get("requestBody", {}).get("content", {}).get(FORM, {})).keys()


def _names(request: httpx.Request) -> set[str]:
    return {*request.url.params, *parse_qs(request.content.decode(), keep_blank_values=True)}
