"""What operators write: the settings, each queue's own, the flows and their wording, and one reader of YAML files.

Whatever is wrong stops the start with `StartError`: file, key and reason.
"""

from app.config.files import Strict, refused_setting
from app.config.flows import load_flows
from app.config.queues import QueueDefaults, QueueOverrides, QueueSettings, checked, effective
from app.config.settings import Settings

__all__ = [
    "QueueDefaults",
    "QueueOverrides",
    "QueueSettings",
    "Settings",
    "Strict",
    "checked",
    "effective",
    "load_flows",
    "refused_setting",
]
