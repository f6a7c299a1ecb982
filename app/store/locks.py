"""The spaces of PostgreSQL's advisory locks: each kind of name has its own, so that equal names do not meet."""

QUEUES = 8810
DESTINATIONS = 8811
RECIPIENTS = 8812
