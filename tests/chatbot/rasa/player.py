"""Someone who is surveyed inside a Rasa assistant, for the golden transcripts."""

from tests.chatbot.players import messages_of, over
from tests.chatbot.rasa.assistant import START, Assistant
from tests.line import Line
from tests.transcripts import Medium, Outcome, Transcript


class ChatInRasa:
    """A chat in which no trigger came before: the metadata say whom it is with."""

    channel = "chat"
    medium: Medium = "text"

    async def play(self, line: Line, transcript: Transcript, queue: str) -> Outcome:
        """Start the survey, chat, and return once it is over."""
        assistant = Assistant(line.http)
        await assistant.say(START, {"queue": queue, "language": transcript.language})
        survey_id = line.services.chat_tokens.read(assistant.slots["nps_survey"])
        texts = assistant.texts
        for message in messages_of(transcript)[1:]:
            await assistant.say(message)
            texts += assistant.texts
        return Outcome(texts, await over(line, str(survey_id)))
