"""Turn -> TwiML. Pure; the same bytes for every survey that says the same, so they are built once."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import ceil

from twilio.twiml import GenericNode
from twilio.twiml.voice_response import Gather, VoiceResponse

from app.survey import Ask, AskKind, Prompt, Turn, Wording
from app.text import speakable

RECORDING_NAME = "comment"
RECORDED = "?recorded=1"
# Where a key leads that is pressed when nothing is asked any more.
OPT_OUT = "opt-out"
MOST_HINTS = 500
LONGEST_SPEECH_SECONDS = 60
COMMENT_PAUSE_SECONDS = 2
# How many keys an answer has at the most, and which one finishes it.
KEYS: Mapping[AskKind, tuple[str, str]] = {"score": ("2", "#"), "yes_no": ("1", "#"), "comment": ("1", "")}
ONE_KEY = ("1", "")
# The carrier waits so long after each key that may not be the last: dead air for whoever has pressed the only one.
KEY_SECONDS = 2
# A score that is read back is seldom corrected, and a nought that was asked for is all that comes.
CORRECTION_KEY_SECONDS = 1
# The least that the carrier waits for a key.
LEAST_KEY_SECONDS = 1

# The addresses of the recordings that say a prompt, in order; None where there are none.
Sounds = Callable[[Wording, Prompt], tuple[str, ...] | None]


def unrecorded(wording: Wording, prompt: Prompt) -> None:
    """No recordings at all: the carrier's voice says everything."""


def render(
    turn: Turn,
    wording: Wording,
    turn_no: int,
    sounds: Sounds = unrecorded,
    *,
    record: bool = True,
    recording: bool = False,
) -> bytes:
    """The document that says this turn and sends what is heard to ``turn_no``, beside this document's own address.

    ``record`` allows a question to be recorded; ``recording`` says that a recording is under way. Everything is said
    while keys are taken, so that ``*`` is heard at any time.
    """
    notice, say = turn.around_recording(record=record)
    return _document(notice, say, turn.ask, wording, turn_no, sounds, record, recording)


@lru_cache(maxsize=4096)
def _document(
    notice: tuple[Prompt, ...],
    say: tuple[Prompt, ...],
    ask: Ask | None,
    wording: Wording,
    turn_no: int,
    sounds: Sounds,
    record: bool,
    recording: bool,
) -> bytes:
    response = VoiceResponse()
    recorded = record and ask is not None and ask.recorded
    if recording and not recorded:
        stop_recording(response)
    if ask is None:
        if say:
            response.append(lead_in(say, wording, OPT_OUT, ONE_KEY, sounds))
        response.hangup()
        return str(response).encode()
    if recorded and not recording:
        # Nothing is recorded before the notice has been heard, and the question that follows may be spoken over.
        response.append(lead_in(notice, wording, str(turn_no), KEYS[ask.kind], sounds))
        _start_recording(response)
        notice = ()
    answer_to = f"{turn_no}{RECORDED if recorded else ''}"
    response.append(_question((*notice, *say), ask, wording, answer_to, sounds))
    # Only reached where a carrier passes silence on to the next verb in spite of actionOnEmptyResult.
    response.redirect(answer_to, method="POST")
    return str(response).encode()


def lead_in(
    say: tuple[Prompt, ...],
    wording: Wording,
    answer_to: str,
    keys: tuple[str, str],
    sounds: Sounds = unrecorded,
) -> Gather:
    """What is said before or behind a question. Only ``keys`` are taken, and the call goes on as soon as it is over."""
    most, finishing = keys
    gather = Gather(
        input="dtmf",
        action=answer_to,
        method="POST",
        num_digits=most,
        finish_on_key=finishing,
        timeout=str(LEAST_KEY_SECONDS),
    )
    speak(gather, say, wording, sounds)
    return gather


def _start_recording(response: VoiceResponse) -> None:
    response.start().recording(
        name=RECORDING_NAME,
        track="inbound",
        channels="mono",
        recording_status_callback="recording",
        recording_status_callback_event="completed absent",
    )


def stop_recording(response: VoiceResponse) -> None:
    """End the recording that runs."""
    # The library knows <Start><Recording>, but not yet <Stop><Recording>.
    node = GenericNode("Recording", None)
    node.attrs["name"] = RECORDING_NAME
    response.stop().append(node)


def _question(say: tuple[Prompt, ...], ask: Ask, wording: Wording, answer_to: str, sounds: Sounds) -> Gather:
    most, finishing = KEYS[ask.kind]
    patience = ceil(ask.silence_seconds)
    waits = min(patience, _key_seconds(ask))
    gather = Gather(
        input="dtmf" if ask.keys_only else "dtmf speech",
        action=answer_to,
        method="POST",
        num_digits=most,
        finish_on_key=finishing,
        timeout=str(waits),
        action_on_empty_result="true",
    )
    if not ask.keys_only:
        _listen(gather, ask, wording)
    speak(gather, say, wording, sounds)
    if patience > waits:
        # The time-out follows a key as well as the prompts. Who has pressed none yet gets the rest of theirs here.
        gather.pause(length=patience - waits)
    return gather


def _key_seconds(ask: Ask) -> int:
    """How long the carrier waits for one more key; an answer of one key is over with it, however long it waits."""
    if KEYS[ask.kind][0] == "1":
        return ceil(ask.silence_seconds)
    return CORRECTION_KEY_SECONDS if ask.read_back else KEY_SECONDS


def _listen(gather: Gather, ask: Ask, wording: Wording) -> None:
    gather.attrs["language"] = wording.speech_language
    if ask.kind == "comment":
        gather.attrs |= {
            "speechTimeout": str(COMMENT_PAUSE_SECONDS),
            "maxSpeechTime": str(LONGEST_SPEECH_SECONDS),
            "profanityFilter": "false",
        }
        return
    gather.attrs["speechTimeout"] = "auto"
    known = wording.vocabulary
    phrases = known.score_phrases() if ask.kind == "score" else ()
    if ask.kind == "yes_no" or ask.read_back:
        phrases = (*known.yes_no_phrases(), *phrases)
    gather.attrs["hints"] = ",".join(phrases[:MOST_HINTS])


def speak(
    verb: VoiceResponse | Gather, say: tuple[Prompt, ...], wording: Wording, sounds: Sounds = unrecorded
) -> None:
    """Let the verb play each prompt where it is recorded, and say it where it is not."""
    for prompt in say:
        addresses, text = sounds(wording, prompt), speakable(wording.text(prompt, "voice"))
        if addresses is not None:
            for address in addresses:
                verb.play(address)
        elif text:
            verb.say(text, voice=wording.voice, language=wording.locale)


def goodbye(prompt_name: str, wording: Wording, sounds: Sounds = unrecorded, **values: str) -> bytes:
    """A document that says one prompt and hangs up."""
    return _document((), (wording.prompt(prompt_name, values),), None, wording, 0, sounds, False, False)


def hang_up() -> bytes:
    """A document that says nothing and hangs up."""
    response = VoiceResponse()
    response.hangup()
    return str(response).encode()
