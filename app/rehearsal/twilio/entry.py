"""Keys as a question takes them: how many, and which one finishes."""

from app.rehearsal.people.caller import Listening
from app.rehearsal.twilio.verbs import Gather, Record


def listening_for(gather: Gather) -> Listening:
    """What a question listens for."""
    return Listening(
        keys=gather.keys,
        speech=gather.speech,
        max_digits=gather.max_digits,
        finish_on_key=gather.finish_on_key,
        timeout_seconds=gather.timeout,
        language=gather.language,
    )


def listening_while_recording(record: Record) -> Listening:
    """What a recording listens for: a voice, and the keys that end it."""
    return Listening(
        keys=bool(record.finish_on_key),
        speech=True,
        max_digits=1,
        finish_on_key=record.finish_on_key,
        timeout_seconds=record.timeout,
        language="",
    )


def entry(gather: Gather, keys: str) -> tuple[str, str]:
    """The digits that count, and the key that finished them, "" where none did."""
    allowed = keys if gather.max_digits is None else keys[: gather.max_digits + 1]
    digits, finish, _ = allowed.partition(gather.finish_on_key or " ")
    return digits[: gather.max_digits], "" if len(digits) == gather.max_digits else finish


def finished(gather: Gather, keys: str) -> bool:
    """Whether these keys need no more waiting."""
    digits, finish = entry(gather, keys)
    return bool(finish) or len(digits) == gather.max_digits
