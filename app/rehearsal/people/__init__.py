"""Rehearsed people: who picks up a phone or reads a message, and what they say."""
