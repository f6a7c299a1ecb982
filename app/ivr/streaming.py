"""A question that is heard in a media stream, as TwiML."""

from twilio.twiml.voice_response import Connect, Gather, VoiceResponse

from app.ivr.twiml import KEYS, Sounds, speak, stop_recording, unrecorded
from app.ports import Invitation
from app.survey import Ask, Prompt, Wording

# The least that the carrier waits for a key, and for the next one.
KEY_SECONDS = 1


def render(
    invitation: Invitation,
    ask: Ask,
    wording: Wording,
    turn_no: int,
    sounds: Sounds = unrecorded,
    *,
    recording: bool = False,
) -> bytes:
    """The document that says what the stream cannot, opens the stream, and fetches the present turn behind it.

    What leads up to the question is said while keys are taken already. The question is not: the carrier would wait for
    a key before it opened the stream, and the beginning of what is said would be lost. A stream that cannot be opened,
    or breaks, leads on to the same address. ``recording``: the carrier records.
    """
    response = VoiceResponse()
    if recording:
        stop_recording(response)
    say, count = invitation.by_carrier, invitation.before_question
    if count:
        response.append(_with_keys(say[:count], ask, wording, turn_no, sounds))
    speak(response, say[count:], wording, sounds)
    connect = Connect()
    connect.stream(url=invitation.address)
    response.append(connect)
    response.redirect(f"heard?turn={turn_no}", method="POST")
    return str(response).encode()


def _with_keys(say: tuple[Prompt, ...], ask: Ask, wording: Wording, turn_no: int, sounds: Sounds) -> Gather:
    most, finishing = KEYS[ask.kind]
    gather = Gather(
        input="dtmf",
        action=str(turn_no),
        method="POST",
        num_digits=most,
        finish_on_key=finishing,
        timeout=str(KEY_SECONDS),
    )
    speak(gather, say, wording, sounds)
    return gather
