"""A question that is heard in a media stream, as TwiML."""

from twilio.twiml.voice_response import Connect, VoiceResponse

from app.ivr.twiml import Sounds, speak, stop_recording, unrecorded
from app.ports import Invitation
from app.survey.wording import Wording


def render(
    invitation: Invitation,
    wording: Wording,
    turn_no: int,
    sounds: Sounds = unrecorded,
    *,
    recording: bool = False,
) -> bytes:
    """The document that says what the stream cannot, opens the stream, and fetches the present turn behind it.

    A stream that cannot be opened, or breaks, leads on to the same address. ``recording``: the carrier records.
    """
    response = VoiceResponse()
    if recording:
        stop_recording(response)
    speak(response, invitation.by_carrier, wording, sounds)
    connect = Connect()
    connect.stream(url=invitation.address)
    response.append(connect)
    response.redirect(f"heard?turn={turn_no}", method="POST")
    return str(response).encode()
