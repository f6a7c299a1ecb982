"""What people read: short, plain, and in their language, for a phone in somebody's hand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.alerts.texts import Texts
from app.store.alert_messages import AlertStory, QueueCount
from app.store.alerts import HeldFor

TO_HEAR_BACK = timedelta(hours=24)
"""Within this time a detractor should hear from a person."""
HEARD = ("speech", "recording")
LONGEST_COMMENT = 600
LONGEST_COMMENT_OF_MANY = 160
MOST_QUEUES = 8
INVISIBLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\s]+")
CALLS_OUT = re.compile(r"@(?=everyone\b|here\b|channel\b|all\b)|<(?=[@!#])", re.IGNORECASE)


@dataclass(frozen=True)
class AlertMessage:
    """A title, and a body of plain lines."""

    title: str
    body: str


@dataclass(frozen=True)
class AlertReader:
    """How somebody reads a message: in which language, by which clock, and what a link begins with."""

    texts: Texts
    zone: ZoneInfo
    now: datetime
    public_url: str

    def moment(self, at: datetime) -> str:
        """A moment by the reader's clock."""
        return self.texts.moment(at.astimezone(self.zone), self.now.astimezone(self.zone))


def of_one(story: AlertStory, reader: AlertReader, *, phone: bool) -> AlertMessage:
    """One answer, all of it; with the customer's number where ``phone`` is set."""
    texts = reader.texts
    title = texts.title_callback if story.callback else texts.title
    lines = [_who(story, texts, phone=phone), _said(story, texts, LONGEST_COMMENT)]
    if story.callback is not None:
        lines.append(texts.callback if story.callback else texts.no_callback)
    lines.append(_where(story, reader))
    lines.extend(_deadline(story, reader))
    lines.append(_link(story, reader))
    return AlertMessage(title.format(score=story.score, queue=plain(story.queue)), "\n".join(lines))


@dataclass(frozen=True)
class AlertDigest:
    """What a message of many answers tells of.

    ``worst`` are the lowest scores, each with whether its rule asks for the number. ``waiting`` is how many detractors
    are within their 24 hours, and ``first_at`` when the first of them answered.
    """

    held_for: HeldFor
    queues: Sequence[QueueCount]
    worst: Sequence[tuple[AlertStory, bool]]
    waiting: int
    first_at: datetime | None


def of_many(many: AlertDigest, reader: AlertReader) -> AlertMessage:
    """Many answers in one message: how many from where, how long is left, and the worst few."""
    texts, count = reader.texts, sum(each.count for each in many.queues)
    because = {"digest": texts.digest, "quiet_hours": texts.quiet_hours, "storm": texts.storm}
    lines = [because[many.held_for], *_queues(many.queues, texts)]
    if many.first_at is not None:
        until = many.first_at + TO_HEAR_BACK
        lines.append(
            texts.deadlines.format(
                count=many.waiting, until=reader.moment(until), left=texts.span(until - reader.now)
            )
        )
    lines.extend(("", texts.worst))
    for story, phone in many.worst:
        lines.extend(_entry(story, reader, phone=phone))
    if count > len(many.worst):
        lines.extend(("", texts.more.format(count=count - len(many.worst))))
    return AlertMessage(texts.many.format(count=count), "\n".join(lines))


def as_test(message: AlertMessage, texts: Texts) -> AlertMessage:
    """The message with a mark that nobody overlooks."""
    return AlertMessage(texts.test.format(title=message.title), message.body)


def plain(text: str, longest: int | None = None) -> str:
    """A customer's text on one line, with nothing hidden in it and nobody called by it, cut where it is too long."""
    shown = CALLS_OUT.sub(lambda found: found[0] + "\u200b", INVISIBLE.sub(" ", text).strip())
    return shown if longest is None or len(shown) <= longest else shown[:longest].rstrip() + "…"


def _entry(story: AlertStory, reader: AlertReader, *, phone: bool) -> Iterator[str]:
    texts = reader.texts
    yield ""
    yield texts.entry.format(score=story.score, queue=plain(story.queue))
    yield _who(story, texts, phone=phone)
    if story.comment is not None:
        yield _said(story, texts, LONGEST_COMMENT_OF_MANY)
    if story.callback:
        yield texts.callback
    yield from _deadline(story, reader)
    yield _link(story, reader)


def _who(story: AlertStory, texts: Texts, *, phone: bool) -> str:
    parts = [plain(story.name)] if story.name else []
    if story.crm_id:
        parts.append(texts.crm.format(id=plain(story.crm_id)))
    if phone and story.phone:
        parts.append(story.phone)
    return ", ".join(parts) or texts.nobody


def _said(story: AlertStory, texts: Texts, longest: int) -> str:
    if story.comment is None:
        return texts.nothing_said
    quoted = texts.transcript if story.comment_source in HEARD else texts.said
    return quoted.format(comment=plain(story.comment, longest))


def _where(story: AlertStory, reader: AlertReader) -> str:
    agent = [reader.texts.agent.format(agent=plain(story.agent))] if story.agent else []
    by = reader.texts.channels.get(story.channel, story.channel)
    return ", ".join([*agent, by, reader.moment(story.answered_at)])


def _deadline(story: AlertStory, reader: AlertReader) -> Iterator[str]:
    if story.band != "detractor":
        return
    until = story.answered_at + TO_HEAR_BACK
    left = until - reader.now
    sentence = reader.texts.left if left > timedelta(0) else reader.texts.over
    yield sentence.format(left=reader.texts.span(left), until=reader.moment(until))


def _link(story: AlertStory, reader: AlertReader) -> str:
    return f"{reader.public_url}/api/v1/surveys/{story.survey_id}"


def _queues(queues: Sequence[QueueCount], texts: Texts) -> Iterator[str]:
    shown = queues if len(queues) <= MOST_QUEUES else queues[: MOST_QUEUES - 1]
    for queue in shown:
        yield texts.queue.format(queue=plain(queue.queue), count=queue.count, detractors=queue.detractors)
    if others := queues[len(shown) :]:
        yield texts.other_queues.format(
            count=sum(each.count for each in others), detractors=sum(each.detractors for each in others)
        )
