"""Ports for processes that bind them later."""

import random
import socket

# Below those that a system gives away by itself: nobody else is given one of these in the meantime.
FIRST, LAST = 15_000, 30_000
TRIES = 100


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    for _ in range(TRIES):
        port = random.SystemRandom().randrange(FIRST, LAST)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise RuntimeError(f"{TRIES} ports are taken")
