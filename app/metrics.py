"""What Prometheus reads at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

DECISIONS = Counter(
    "zeroten_decisions",
    "Interactions decided, by decision and reason.",
    ["decision", "reason"],
    registry=REGISTRY,
)
SURVEYS_DROPPED = Counter(
    "zeroten_surveys_dropped",
    "Surveys dropped when their attempt was due, by reason.",
    ["reason"],
    registry=REGISTRY,
)
ATTEMPTS_PLACED = Counter(
    "zeroten_attempts_placed", "Calls and messages the carrier took.", ["channel"], registry=REGISTRY
)
ATTEMPTS_ENDED = Counter(
    "zeroten_attempts_ended", "Attempts by how they ended.", ["disposition"], registry=REGISTRY
)
SLOTS_MISSED = Counter(
    "zeroten_slots_missed", "Pacing slots that went by before the attempt was ready.", registry=REGISTRY
)
TURNS = Histogram(
    "zeroten_turn_seconds",
    "Time to answer one turn, by channel.",
    ["channel"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
TURNS_FAILED = Counter(
    "zeroten_turns_failed", "Turns that ended in an apology, by channel.", ["channel"], registry=REGISTRY
)
REQUESTS_REFUSED = Counter(
    "zeroten_requests_refused",
    "Requests turned away for who sent them or how much they brought, by status: 401, 403, 413 or 429.",
    ["status"],
    registry=REGISTRY,
)
CHAT_PACKETS_REFUSED = Counter(
    "zeroten_chat_packets_refused", "Packets of a chat that could not be read.", registry=REGISTRY
)
CONNECTIONS_CLOSED = Counter(
    "zeroten_connections_closed",
    "Connections that we ended because of how they were used, by reason.",
    ["reason"],
    registry=REGISTRY,
)
JOBS_WAITING = Gauge("zeroten_jobs_waiting", "Jobs that are due and not yet started.", registry=REGISTRY)
JOBS_SCHEDULED = Gauge("zeroten_jobs_scheduled", "Jobs that wait for their time.", registry=REGISTRY)
STREAMS = Gauge("zeroten_streams", "Callers that our own recognisers listen to.", registry=REGISTRY)
RECOGNITION = Histogram(
    "zeroten_recognition_seconds",
    "Time from the end of speech to its words, by recogniser and kind of question.",
    ["recogniser", "kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
RECOGNITION_FELL_BACK = Counter(
    "zeroten_recognition_fell_back",
    "Questions left to keys and the carrier's recogniser though ours should have heard them, by reason.",
    ["reason"],
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "zeroten_deliveries",
    "Pushes of a response to a destination, by how they ended: delivered, refused or failed.",
    ["destination", "outcome"],
    registry=REGISTRY,
)
DELIVERIES_WAITING = Gauge(
    "zeroten_deliveries_waiting",
    "Responses that wait for a destination.",
    ["destination"],
    registry=REGISTRY,
)
DESTINATION_FAILING = Gauge(
    "zeroten_destination_failing",
    "1 while a destination takes nothing, by destination.",
    ["destination"],
    registry=REGISTRY,
)
ALERTS = Counter(
    "zeroten_alerts",
    "Alerts by how they ended: sent, failed (given up) or unknown (may have arrived; never sent again).",
    ["outcome"],
    registry=REGISTRY,
)
ALERTS_FOLDED = Counter(
    "zeroten_alerts_folded", "Alerts that were sent in one message with others.", registry=REGISTRY
)
ALERTS_WAITING = Gauge(
    "zeroten_alerts_waiting",
    "Alerts that wait for a digest, the end of quiet hours or a storm, or another try.",
    registry=REGISTRY,
)
CLOCK_AHEAD = Gauge(
    "zeroten_clock_ahead_seconds",
    "How far this process's clock is ahead of the database's; a worker that differs by over 2 s runs no jobs.",
    registry=REGISTRY,
)
