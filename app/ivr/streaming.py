"""A question that is heard in a media stream, as TwiML."""

from twilio.twiml.voice_response import Connect, VoiceResponse

from app.ivr.twiml import KEYS, Sounds, lead_in, stop_recording, unrecorded
from app.ports import Invitation
from app.survey import Ask, Wording


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

    What the carrier says is said while keys are taken already. A stream that cannot be opened, or breaks, leads on to
    the same address. ``recording``: the carrier records.
    """
    response = VoiceResponse()
    if recording:
        stop_recording(response)
    if invitation.by_carrier:
        response.append(lead_in(invitation.by_carrier, wording, str(turn_no), KEYS[ask.kind], sounds))
    connect = Connect()
    connect.stream(url=invitation.address)
    response.append(connect)
    response.redirect(f"heard?turn={turn_no}", method="POST")
    return str(response).encode()
