"""What ``zeroten doctor`` looks at, one file an area."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``remedy`` says what to do; with ``ok`` it is only worth knowing, and may be empty."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
