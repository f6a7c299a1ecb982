"""Hearing without sending anyone's voice away: the call's audio, and the recognisers that run here."""
