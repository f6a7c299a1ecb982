"""The languages that a survey is offered in, and the names by which people ask for them."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

LONGEST_GIVEN = 100
PARTS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Languages:
    """``names`` holds every name as `spelled` writes it, with its language's own: ``{"nb": "nb", "norsk": "nb"}``."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, aliases: Mapping[str, Collection[str]]) -> Self:
        """From each language's other names."""
        return cls(
            {spelled(name): language for language, others in aliases.items() for name in (language, *others)}
        )

    @property
    def codes(self) -> frozenset[str]:
        """The languages, each under its own name alone."""
        return frozenset(self.names.values())

    def find(self, given: str) -> str | None:
        """The language offered under a name or a tag: ``nb`` for nb, NB_no, no-NO, nob and Norwegian (Bokmål).

        The longest known beginning counts, as RFC 4647 looks a tag up; None where none is known.
        """
        parts = spelled(given[:LONGEST_GIVEN]).split("-")
        beginnings = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((self.names[name] for name in beginnings if name in self.names), None)


def spelled(name: str) -> str:
    """The one spelling of a name or a tag: small letters, and ``-`` between its parts; empty where it has none."""
    return "-".join(PARTS.findall(unicodedata.normalize("NFC", name).lower()))


def primary(given: str) -> str:
    """The first part of a tag: ``de`` of de-AT."""
    return spelled(given).partition("-")[0]
