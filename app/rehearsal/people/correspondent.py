"""Somebody who answers text messages."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Correspondent(Protocol):
    """A caller whose phone also takes messages; one person has one, for as long as they are written to."""

    async def read(self, text: str) -> str | None:
        """Read a message, and what is written back, if anything."""
        ...
