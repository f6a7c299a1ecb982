"""The survey in writing: in a chat, as messages, and inside a Rasa assistant."""
