"""Days go by under faults, and what was promised holds; `make simulate` runs as many as one likes."""

import os
import time
from pathlib import Path

import pytest

from tests.conftest import fresh_database
from tests.simulation.database import make_template
from tests.simulation.simulation import simulate

SECONDS = "SIMULATE_SECONDS"
TEMPLATE = "simulated_template"
# The same days for every change; `make simulate` draws others.
FIRST_SEED = 10


@pytest.mark.simulation
@pytest.mark.skipif(SECONDS not in os.environ, reason=f"{SECONDS} does not say for how long")
def test_what_was_promised_holds_under_faults(server: str, tmp_path: Path) -> None:
    make_template(server, TEMPLATE)
    until = time.monotonic() + float(os.environ[SECONDS])
    seed = FIRST_SEED
    while time.monotonic() < until:
        with fresh_database(server, TEMPLATE) as address:
            outcome = simulate(address, tmp_path, seed, until=until)
        assert not outcome.broken, f"make simulate SEED={seed} DAYS=1\n{outcome.story}\n{outcome.broken}"
        seed += 1
