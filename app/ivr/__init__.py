"""The survey on the phone: turns as TwiML, the webhooks of a call, its recordings, and people who call back."""

from app.ivr.channel import VoiceChannel
from app.ivr.inbound import Inbound
from app.ivr.jobs import FetchRecording
from app.ivr.playback import Playback
from app.ivr.recordings import Recordings
from app.ivr.routes import VoiceWebhooks
from app.ivr.voice import Voice

__all__ = [
    "FetchRecording",
    "Inbound",
    "Playback",
    "Recordings",
    "Voice",
    "VoiceChannel",
    "VoiceWebhooks",
]
