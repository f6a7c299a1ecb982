"""GetResponse's API: pages, ids by name, and how it says to come back later."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.crm.api import Api, retry_after
from app.errors import CrmMisconfigured, CrmRefused

A_PAGE = 1000


@dataclass(frozen=True)
class Account:
    """What is asked for in pages, and by name."""

    api: Api

    async def all(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Every page."""
        found: list[dict[str, Any]] = []
        while True:
            paged = {**query, "perPage": str(A_PAGE), "page": str(len(found) // A_PAGE + 1)}
            page = (await self.api.call("GET", path, query=paged)).json
            found += page
            if len(page) < A_PAGE:
                return found

    async def field_ids(self) -> Mapping[str, str]:
        """The ids of all custom fields, by name."""
        return {each["name"]: each["customFieldId"] for each in await self.all("/custom-fields", {})}

    async def tag_ids(self, names: frozenset[str]) -> Mapping[str, str]:
        """The ids of these tags; one that does not exist is made."""
        return {name: await self._tag_id(name) for name in sorted(names)}

    async def _tag_id(self, name: str) -> str:
        found = await self.all("/tags", {"query[name]": name})
        known = [each["tagId"] for each in found if each["name"] == name]
        return known[0] if known else await self._make_tag(name)

    async def _make_tag(self, name: str) -> str:
        try:
            said = await self.api.call("POST", "/tags", {"name": name})
        except CrmRefused as refused:
            raise CrmMisconfigured(f"the tag {name} cannot be made: {refused}", refused.http_status) from None
        return str(said.json["tagId"])


def pause(headers: Mapping[str, str]) -> float | None:
    """From Retry-After, or the seconds until the window's end, such as ``432 seconds``."""
    seconds = re.match(r"\d+", headers.get("x-ratelimit-reset", ""))
    return retry_after(headers) or (float(seconds[0]) if seconds else None)
