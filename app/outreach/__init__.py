"""Reaching people: planning, starting, tracking and pacing attempts."""
