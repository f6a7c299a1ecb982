"""``python -m tests.simulation``: so many days, one contact centre after another, each from a seed of its own."""

import argparse
import logging
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog

from app.store import embedded
from tests.conftest import fresh_database
from tests.simulation.database import make_template
from tests.simulation.simulation import Outcome, simulate

TEMPLATE = "simulated_template"


def main() -> int:
    """Run until so many days have gone by, or something does not hold."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--days", type=float, default=30, help="how many days in all")
    asked.add_argument("--seed", type=int, help="the first seed; those after it follow")
    asked.add_argument(
        "--severity", type=float, default=1.0, help="how often something goes wrong; 0 is never"
    )
    given = asked.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    days, began, drawn, placed, surveys = (
        0.0,
        time.monotonic(),
        Counter[str](),
        Counter[str](),
        Counter[str](),
    )
    with tempfile.TemporaryDirectory(prefix="zeroten-") as directory:
        server = embedded.start(Path(directory))
        try:
            make_template(server, TEMPLATE)
            while days < given.days:
                with fresh_database(server, TEMPLATE) as address:
                    outcome = simulate(address, Path(directory), seed, given.severity)
                if outcome.broken:
                    return fail(outcome)
                days += outcome.days
                drawn += outcome.drawn
                placed += outcome.placed
                surveys += outcome.surveys
                pace = days / (time.monotonic() - began) * 60
                sys.stdout.write(
                    f"seed {seed}: {outcome.days:.1f} days held ({days:.0f} in all, {pace:.1f} a minute)\n"
                )
                sys.stdout.flush()
                seed += 1
        finally:
            embedded.stop(Path(directory))
    for name, counted in (("placed", placed), ("surveys", surveys), ("faults", drawn)):
        sys.stdout.write(f"{name}: " + ", ".join(f"{key} {n}" for key, n in sorted(counted.items())) + "\n")
    return 0


def fail(outcome: Outcome) -> int:
    """Tell the story of the day on which something did not hold, and how to see it again."""
    sys.stdout.write(outcome.story + "\n\n")
    sys.stdout.writelines(f"does not hold: {each}\n" for each in outcome.broken)
    sys.stdout.write(f"again: make simulate SEED={outcome.seed} DAYS=1\n")
    return 1


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # else sets of words have another order each time
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 - ourselves
    sys.exit(main())
