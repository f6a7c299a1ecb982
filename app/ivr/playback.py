"""Recorded prompts as the carrier plays them: their addresses, and the files behind these."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.prompts import Clip, Prompts
from app.prompts.recorded import ENDING
from app.survey import Prompt, Wording

PATH = "/prompts"
VERSION = "v"
VERSION_LENGTH = 16
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "public, no-cache"


@dataclass(frozen=True, eq=False)
class Playback:
    """Recorded prompts at ``public_url``. An address holds its file's digest, so that what it gives never changes."""

    prompts: Prompts
    public_url: str

    def addresses(self, wording: Wording, prompt: Prompt) -> tuple[str, ...] | None:
        """Where the files that say this prompt are, in order; None where the carrier's own voice has to."""
        clips = self.prompts.find(wording, prompt)
        return None if clips is None else tuple(self._address(wording.language, each) for each in clips)

    def routes(self) -> list[Route]:
        """The files. They are no secret: whoever is called hears them."""
        return [Route(f"{PATH}/{{language}}/{{file}}", self.file, methods=["GET"])]

    async def file(self, request: Request) -> Response:
        """One file, to be kept for ever under the address that turns name, else to be asked for each time."""
        name = request.path_params["file"].removesuffix(ENDING)
        clip = self.prompts.clip(request.path_params["language"], name)
        if clip is None or not request.path_params["file"].endswith(ENDING):
            return Response("There is no such prompt.", 404, media_type="text/plain")
        lasting = request.query_params.get(VERSION) == clip.digest[:VERSION_LENGTH]
        headers = {"ETag": f'"{clip.digest}"', "Cache-Control": FOR_EVER if lasting else ASK_EACH_TIME}
        if _known(request.headers.get("if-none-match", ""), clip.digest):
            return Response(status_code=304, headers=headers)
        return Response(clip.content, media_type="audio/wav", headers=headers)

    def _address(self, language: str, clip: Clip) -> str:
        file = f"{clip.name}{ENDING}?{VERSION}={clip.digest[:VERSION_LENGTH]}"
        return f"{self.public_url}{PATH}/{language}/{file}"


def _known(if_none_match: str, digest: str) -> bool:
    tags = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return any(each in {"*", f'"{digest}"'} for each in tags)
