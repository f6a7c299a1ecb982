"""The survey in writing: the web chat and its widget, SMS and WhatsApp, conversations at Twilio, a Rasa assistant.

Each channel turns what somebody wrote into `Heard`, calls `Conversations.take_turn`, and writes the turn that comes
back. `messages` is the one place where a turn becomes text and quick replies.
"""

from app.chatbot.answering import MessageAnswering
from app.chatbot.chat import Chats
from app.chatbot.incoming import WHATSAPP
from app.chatbot.message import WrittenChannel, messages
from app.chatbot.message_channel import MessageChannel
from app.chatbot.messages_routes import MessageWebhooks
from app.chatbot.rasa_survey import RasaSurveys
from app.chatbot.reminders import Reminders
from app.chatbot.site import AcrossOrigins, Origins
from app.chatbot.tokens import ChatTokens, TokenGate
from app.chatbot.twilio_conversations import TwilioConversations

__all__ = [
    "WHATSAPP",
    "AcrossOrigins",
    "ChatTokens",
    "Chats",
    "MessageAnswering",
    "MessageChannel",
    "MessageWebhooks",
    "Origins",
    "RasaSurveys",
    "Reminders",
    "TokenGate",
    "TwilioConversations",
    "WrittenChannel",
    "messages",
]
