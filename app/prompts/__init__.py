"""Prompts as sound: which files a language needs, where they come from, and which of them may be played."""
