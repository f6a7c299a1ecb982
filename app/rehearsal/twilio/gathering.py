"""`Gather` performed: the prompts of a question, the caller's answer, and the form in which its webhook gets it."""

from dataclasses import replace

from app.rehearsal.people import ListeningFor, Pressed, Reaction, Spoken
from app.rehearsal.twilio.connected_caller import CallOver, ConnectedCaller
from app.rehearsal.twilio.verbs import Gather, Pause, Sounding

# A `Gather` that waits no longer asks nothing: it only lets keys be heard over what it says.
LEAD_IN_SECONDS = 1


async def perform_gather(gather: Gather, caller: ConnectedCaller, base_url: str) -> dict[str, str] | None:
    """Ask, and give the fields of the answer for ``action``; None where the document goes on instead.

    The time for an answer counts from the end of the prompts, pauses included; that for one more key, and for one more
    word, from the last one. Raises `CallOver` when the caller hangs up.
    """
    match await _first_input(gather, caller, base_url):
        case Pressed(keys):
            return _entered(gather, await _whole_entry(gather, keys, caller))
        case Spoken(text, confidence, then_hangs_up):
            if then_hangs_up:
                raise CallOver("caller")
            await caller.go_by("dead_air", gather.speech_timeout)
            return {"SpeechResult": text, "Confidence": f"{confidence:.8g}"}
        case _:
            return _unanswered(gather, "")


async def _first_input(gather: Gather, caller: ConnectedCaller, base_url: str) -> Reaction | None:
    """What the caller does first: in the middle of the prompts, or once they have been said."""

    def takes(reaction: Reaction) -> bool:
        match reaction:
            case Pressed():
                return gather.keys
            case Spoken():
                return gather.speech and gather.barge_in
            case _:
                return False

    prompts, pauses = _without_last_pauses(gather.prompts)
    for prompt in prompts:
        reaction = await caller.hear(prompt, base_url, takes)
        if reaction is not None:
            return reaction
    reaction = await caller.react(_listening_for(gather, pauses))
    taken = gather.speech if isinstance(reaction, Spoken) else takes(reaction)
    return reaction if taken else None


async def _whole_entry(gather: Gather, keys: str, caller: ConnectedCaller) -> str:
    while not _is_finished(gather, keys):
        left = gather.max_digits and gather.max_digits - len(keys)
        listening = replace(_listening_for(gather, 0), speech=False, max_digits=left, asks=False)
        try:
            more = await caller.react(listening)
        except CallOver as over:
            raise CallOver(over.ending, keys) from over
        if not isinstance(more, Pressed):
            return keys
        keys += more.keys
    return keys


def _without_last_pauses(prompts: tuple[Sounding, ...]) -> tuple[tuple[Sounding, ...], float]:
    """What is to be heard, and the seconds of the pauses behind it: a caller waits through these as for the answer."""
    sounding, pauses = list(prompts), 0.0
    while sounding and isinstance(pause := sounding[-1], Pause):
        pauses += pause.seconds
        del sounding[-1]
    return tuple(sounding), pauses


def _entered(gather: Gather, keys: str) -> dict[str, str] | None:
    digits, finished_on = _entry(gather, keys)
    if not digits:
        return _unanswered(gather, finished_on)
    return {"Digits": digits, "FinishedOnKey": finished_on, "msg": "Gather End"}


def _unanswered(gather: Gather, finished_on: str) -> dict[str, str] | None:
    if not gather.empty_result:
        return None
    return {"Digits": "", "FinishedOnKey": finished_on, "msg": "Gather End"} if gather.keys else {}


def _listening_for(gather: Gather, pauses: float) -> ListeningFor:
    seconds = pauses + gather.timeout
    return ListeningFor(
        keys=gather.keys,
        speech=gather.speech,
        max_digits=gather.max_digits,
        finish_on_key=gather.finish_on_key,
        timeout_seconds=seconds,
        language=gather.language,
        asks=gather.speech or gather.empty_result or seconds > LEAD_IN_SECONDS,
    )


def _entry(gather: Gather, keys: str) -> tuple[str, str]:
    """The digits that count, and the key that finished them, "" where none did."""
    allowed = keys if gather.max_digits is None else keys[: gather.max_digits + 1]
    digits, finish, _ = allowed.partition(gather.finish_on_key or " ")
    return digits[: gather.max_digits], "" if len(digits) == gather.max_digits else finish


def _is_finished(gather: Gather, keys: str) -> bool:
    digits, finish = _entry(gather, keys)
    return bool(finish) or len(digits) == gather.max_digits
