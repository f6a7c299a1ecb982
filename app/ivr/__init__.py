"""The survey on the phone: turns as TwiML, and the webhooks of a call."""
