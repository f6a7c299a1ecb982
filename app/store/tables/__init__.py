"""Every table of the migrated database, described once: what `migrations/` makes, a test compares with this."""

from app.store.tables.access import api_keys, secrets
from app.store.tables.alerting import alerts
from app.store.tables.answers import nps_daily, recordings, responses
from app.store.tables.base import metadata
from app.store.tables.conversations import OPEN, interactions, queues, surveys, turns
from app.store.tables.delivery import deliveries, delivery_log, destinations
from app.store.tables.jobs import procrastinate_jobs, procrastinate_workers
from app.store.tables.outreach import attempts, inbound, pacing, receipts, suppressions

__all__ = [
    "OPEN",
    "alerts",
    "api_keys",
    "attempts",
    "deliveries",
    "delivery_log",
    "destinations",
    "inbound",
    "interactions",
    "metadata",
    "nps_daily",
    "pacing",
    "procrastinate_jobs",
    "procrastinate_workers",
    "queues",
    "receipts",
    "recordings",
    "responses",
    "secrets",
    "suppressions",
    "surveys",
    "turns",
]
