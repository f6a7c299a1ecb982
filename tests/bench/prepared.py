"""Surveys whose calls are under way, written in bulk, and the signed forms that carry each on to its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from app.carrier import sign
from app.config import load_flows
from app.survey import dialogue
from tests.bench.ground import ACCOUNT, OURS, ROOT, TOKEN
from tests.bench.load import Shot, request

BRAND = "Northwind"
LANGUAGES = ("en", "pl", "nb", "fr")
COMMENTS = {
    "en": "they were quick and they were kind to me",
    "pl": "szybko i bardzo uprzejmie załatwili moją sprawę",
    "nb": "de var raske og hyggelige hele veien",
    "fr": "ils ont été rapides et très aimables avec moi",
}
# Half promoters, a quarter each passives and detractors; a detractor is asked one question more.
SCORES = ("10", "9", "3", "8", "9", "10", "7", "0")
INTERACTION: LiteralString = (
    "id, channel, queue, agent, ended_at, language, survey_by, person, phone, decision"
)
SURVEY: LiteralString = (
    "id, interaction_id, person, phone, queue, agent, channel, language, status, due_at, turn_no, opened_by,"
    " conversation"
)
MORE, OVER = b"<Gather", b"<Hangup"
TOGETHER = 16


@dataclass(frozen=True)
class Prepared:
    """A survey whose call has been answered, and what the caller will answer."""

    survey_id: UUID
    attempt_id: UUID
    call_sid: str
    phone: str
    language: str
    score: str

    @classmethod
    def any(cls, number: int = 0) -> "Prepared":
        """One that is not in the database yet."""
        return cls(
            uuid4(),
            uuid4(),
            f"CA{uuid4().hex}",
            f"+4822{number:07d}",
            LANGUAGES[number % len(LANGUAGES)],
            SCORES[number // len(LANGUAGES) % len(SCORES)],
        )

    def greeting(self, url: str) -> Shot:
        """The carrier asks what to say first."""
        return self._shot(url, f"open?attempt={self.attempt_id}", {}, MORE)

    def turns(self, url: str) -> list[Shot]:
        """The call's turns in order, as the carrier posts them."""
        answers = [
            ("1", {"Digits": self.score}, MORE),
            ("2?recorded=1", {"SpeechResult": COMMENTS[self.language], "Confidence": "0.91234"}, OVER),
        ]
        if int(self.score) <= 6:
            answers[1] = (*answers[1][:2], MORE)
            answers.append(("3", {"Digits": "2"}, OVER))
        return [self._shot(url, address, heard, expected) for address, heard, expected in answers]

    def _shot(self, url: str, address: str, heard: dict[str, str], expected: bytes) -> Shot:
        path = f"/twilio/voice/{self.language}/{self.survey_id}/{address}"
        form = self._call() | heard
        headers = (
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
            "I-Twilio-Idempotency-Token: 7c2cc3b1-1d6f-4c4c-9f1f-3a6f6d2f5a10\r\nAccept: */*\r\n"
            f"User-Agent: TwilioProxy/1.1\r\nX-Twilio-Signature: {sign(url + path, form, TOKEN)}\r\n"
        )
        return Shot(request(url.removeprefix("http://"), path, urlencode(form).encode(), headers), expected)

    def _call(self) -> dict[str, str]:
        """The fields that every webhook of a call carries."""
        place = {"City": "", "State": "", "Zip": "", "Country": self.language.upper()}
        return {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "CallSid": self.call_sid,
            "CallStatus": "in-progress",
            "Direction": "outbound-api",
            "From": OURS,
            "Caller": OURS,
            "To": self.phone,
            "Called": self.phone,
            "Language": self.language,
            "msg": "Gather End",
            **{f"{side}{name}": value for side in ("From", "Caller", "To", "Called") for name, value in place.items()},
        }  # fmt: skip


def prepare(
    database_url: str, count: int, *, greeted: bool, flows: Path = ROOT / "flows", language: str | None = None
) -> list[Prepared]:
    """Write ``count`` new interactions, surveys and attempts; ``greeted`` ones wait for their score.

    With a ``language``, all of them are in it, and are heard on our own machine.
    """
    made = [Prepared.any(number) for number in range(count)]
    context = {"brand": BRAND, "record": "yes"}
    if language is not None:
        made = [replace(each, language=language) for each in made]
        context["recognition"] = "local"
    flow = load_flows(flows)["nps"]
    greetings = {
        each: Jsonb(dialogue.begin(flow, each, context).to_json())
        for each in {each.language for each in made}
    }
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY interactions ({INTERACTION}) FROM STDIN") as copy:
            for number, each in enumerate(made):
                copy.write_row((each.survey_id, "voice", *_where(number), "now", each.language, "voice", each.survey_id,
                                each.phone, "scheduled"))  # fmt: skip
        with cursor.copy(f"COPY surveys ({SURVEY}) FROM STDIN") as copy:
            for number, each in enumerate(made):
                state = (1, each.call_sid, greetings[each.language]) if greeted else (0, None, None)
                copy.write_row((each.survey_id, each.survey_id, each.survey_id, each.phone, *_where(number), "voice",
                                each.language, "contacting", "now", *state))  # fmt: skip
        with cursor.copy("COPY attempts (id, survey_id, number, channel) FROM STDIN") as copy:
            for each in made:
                copy.write_row((each.attempt_id, each.survey_id, 1, "voice"))
    return made


def _where(number: int) -> tuple[str, str]:
    return f"queue-{number % 20}", f"agent-{number % 200}"


def lanes(calls: Sequence[Sequence[Shot]], connections: int) -> list[list[Shot]]:
    """The calls' requests over so many connections; on each, a few calls go on at the same time."""
    made: list[list[Shot]] = [[] for _ in range(connections)]
    for lane, shots in enumerate(made):
        theirs = calls[lane::connections]
        for start in range(0, len(theirs), TOGETHER):
            shots.extend(_in_turns(theirs[start : start + TOGETHER]))
    return made


def _in_turns(calls: Sequence[Sequence[Shot]]) -> Iterator[Shot]:
    for number in range(max(map(len, calls), default=0)):
        yield from (call[number] for call in calls if number < len(call))
