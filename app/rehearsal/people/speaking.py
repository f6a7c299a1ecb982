"""A caller who answers aloud."""

from app.rehearsal.clock import Clock
from app.rehearsal.people.aloud import Answers
from app.rehearsal.people.caller import Listening, Nothing, Pickup, Pressed, Reaction, Utterance
from app.rehearsal.people.random import Question, question_in
from app.rehearsal.twilio.recordings import speaking_seconds

THINKS_SECONDS = 1.0


class SpeakingCaller:
    """Says the score and the comment. Whoever asks for the score again gets its key, as from most people."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers, self._clock = answers, clock
        self._heard = ""
        self._said_score = False

    async def ring(self, from_: str, to: str) -> Pickup:  # noqa: ARG002 - whoever calls is answered
        """Pick up."""
        await self._clock.sleep(4)
        return "human"

    async def hear(self, utterance: Utterance) -> Reaction | None:
        """Listen to the end."""
        self._heard += f" {utterance.text}"
        await self._clock.sleep(speaking_seconds(utterance.text))
        return None

    async def react(self, listening: Listening) -> Reaction:
        """Answer what was asked since the last answer."""
        heard, self._heard = self._heard.strip(), ""
        await self._clock.sleep(THINKS_SECONDS)
        return self._answer(heard, listening)

    async def ended(self) -> None:
        """Nothing to put away."""

    def _answer(self, heard: str, listening: Listening) -> Reaction:
        answers = self._answers
        match question_in(heard) if heard else self._next():
            case "score" if self._said_score or not listening.speech:
                return Pressed(f"{answers.number}#")
            case "score":
                self._said_score = True
                return answers.score
            case "comment":
                return answers.comment or Pressed("#")
            case "yes_no":
                return Pressed("2")
            case None:  # what is right needs no answer
                return Nothing()

    def _next(self) -> Question:
        """Where the line plays a recording, nobody knows its words."""
        return "comment" if self._said_score else "score"
