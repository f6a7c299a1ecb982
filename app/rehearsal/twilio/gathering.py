"""`Gather` performed: the prompts of a question, the caller's answer, and the form in which its webhook gets it."""

from dataclasses import replace

from app.rehearsal.people import ListeningFor, Pressed, Reaction, Spoken
from app.rehearsal.twilio.connected_caller import CallOver, ConnectedCaller
from app.rehearsal.twilio.verbs import Gather


async def perform_gather(gather: Gather, caller: ConnectedCaller, base_url: str) -> dict[str, str] | None:
    """Ask, and give the fields of the answer for ``action``; None where the document goes on instead.

    Raises `CallOver` when the caller hangs up.
    """
    match await _answer(gather, caller, base_url):
        case Pressed(keys) if gather.keys:
            return _entered(gather, keys)
        case Spoken(text, confidence, then_hangs_up) if gather.speech:
            if then_hangs_up:
                raise CallOver("caller")
            return {"SpeechResult": text, "Confidence": f"{confidence:.8g}"}
        case _:
            return _unanswered(gather, "")


async def _answer(gather: Gather, caller: ConnectedCaller, base_url: str) -> Reaction:
    """What the caller answers: in the middle of the prompts, or once they have been said."""
    listening = _listening_for(gather)
    early = await _prompt(gather, caller, base_url)
    match early:
        case None:
            return await caller.react(listening)
        case Pressed(keys) if not _is_finished(gather, keys):
            return await _remaining_keys(keys, listening, caller)
        case _:
            return early


async def _prompt(gather: Gather, caller: ConnectedCaller, base_url: str) -> Reaction | None:
    for prompt in gather.prompts:
        match await caller.hear(prompt, base_url):
            case Pressed() as pressed if gather.keys:
                return pressed
            case Spoken() as spoken if gather.speech and gather.barge_in:
                return spoken
            case _:
                pass
    return None


async def _remaining_keys(keys: str, listening: ListeningFor, caller: ConnectedCaller) -> Pressed:
    left = listening.max_digits and listening.max_digits - len(keys)
    match await caller.react(replace(listening, speech=False, max_digits=left)):
        case Pressed(more):
            return Pressed(keys + more)
        case _:
            return Pressed(keys)


def _entered(gather: Gather, keys: str) -> dict[str, str] | None:
    digits, finished_on = _entry(gather, keys)
    if not digits:
        return _unanswered(gather, finished_on)
    return {"Digits": digits, "FinishedOnKey": finished_on, "msg": "Gather End"}


def _unanswered(gather: Gather, finished_on: str) -> dict[str, str] | None:
    if not gather.empty_result:
        return None
    return {"Digits": "", "FinishedOnKey": finished_on, "msg": "Gather End"} if gather.keys else {}


def _listening_for(gather: Gather) -> ListeningFor:
    return ListeningFor(
        keys=gather.keys,
        speech=gather.speech,
        max_digits=gather.max_digits,
        finish_on_key=gather.finish_on_key,
        timeout_seconds=gather.timeout,
        language=gather.language,
    )


def _entry(gather: Gather, keys: str) -> tuple[str, str]:
    """The digits that count, and the key that finished them, "" where none did."""
    allowed = keys if gather.max_digits is None else keys[: gather.max_digits + 1]
    digits, finish, _ = allowed.partition(gather.finish_on_key or " ")
    return digits[: gather.max_digits], "" if len(digits) == gather.max_digits else finish


def _is_finished(gather: Gather, keys: str) -> bool:
    digits, finish = _entry(gather, keys)
    return bool(finish) or len(digits) == gather.max_digits
