"""Alerts: people are told of an answer that a rule of theirs is about."""
