"""People who chat, for the golden transcripts."""

from typing import Any
from uuid import UUID, uuid4

import aiohttp
import httpx
import socketio

from app.outreach import ExpireSurvey
from tests.chatbot.chatting import WEBHOOK
from tests.line import Line
from tests.transcripts import Medium, Outcome, Transcript


class ChatOverRest:
    """A chat over the REST channel."""

    channel = "chat"
    medium: Medium = "text"

    async def play(self, line: Line, transcript: Transcript, queue: str) -> Outcome:
        """Trigger the survey, chat, and return once it is over."""
        decided = await trigger(line, transcript, queue)
        texts: list[str] = []
        async with httpx.AsyncClient(base_url=line.http.base_url, timeout=30) as http:
            for message in messages_of(transcript):
                posted = {"sender": decided["chat"]["token"], "message": message}
                answer = await http.post(WEBHOOK, json=posted)
                texts += [reply["text"] for reply in answer.json()]
        return Outcome(texts, await over(line, decided["survey_id"]))


class ChatOverSocket:
    """A chat over the socket.io channel."""

    channel = "chat"
    medium: Medium = "text"

    async def play(self, line: Line, transcript: Transcript, queue: str) -> Outcome:
        """Trigger the survey, chat, and return once it is over."""
        decided = await trigger(line, transcript, queue)
        texts: list[str] = []
        custom = {"token": decided["chat"]["token"]}
        async with aiohttp.ClientSession() as http:
            io = socketio.AsyncClient(reconnection=False, http_session=http)
            io.on("bot_uttered", lambda message: texts.append(message["text"]))
            await io.connect(str(line.http.base_url), transports=["websocket"])
            for message in messages_of(transcript):
                # The acknowledgement comes after the messages: the server sends it once the handler is done.
                await io.call("user_uttered", {"message": message, "customData": custom})
            await io.disconnect()
        return Outcome(texts, await over(line, decided["survey_id"]))


async def trigger(line: Line, transcript: Transcript, queue: str) -> dict[str, Any]:
    """A chat has ended."""
    return await line.trigger(
        channel="chat",
        survey_by="chat",
        queue=queue,
        language=transcript.language,
        customer={"crm_id": uuid4().hex},
    )


def messages_of(transcript: Transcript) -> list[str]:
    """What is written, after the opening; whoever leaves writes nothing more."""
    callers = [each.caller for each in transcript.exchanges if each.caller is not None]
    return ["/start", *(caller.text for caller in callers if caller.action in {"say", "press"})]


async def over(line: Line, survey_id: str) -> dict[str, Any]:
    """The story of a survey whose time is over."""
    await line.services.expiry.expire(ExpireSurvey(UUID(survey_id)))
    return await line.story(survey_id)
