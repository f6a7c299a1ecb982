"""A double of Twilio: its REST interface, calls and messages, webhooks and media streams, on this machine."""
