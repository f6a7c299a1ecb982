"""People are told of an answer that a rule of theirs is about: once, in their language, and never in a flood.

`read_alerts` makes an operator's file into rules, recipients and services. `Alerts.judge` writes, in the caller's
transaction, a row for each recipient of an answer; `Alerts.send_waiting_alerts` is the job that sends what is due.
"""

from app.alerts.alerts import Alerts
from app.alerts.file import AlertsFile, read_alerts
from app.alerts.jobs import SendAlerts
from app.alerts.rules import Rule

__all__ = [
    "Alerts",
    "AlertsFile",
    "Rule",
    "SendAlerts",
    "read_alerts",
]
