"""Wrong tokens are limited, and nobody is locked out by someone else's."""

import httpx
import pytest

from tests.chatbot.chatting import WEBHOOK, invited, payloads, post
from tests.line import Line


@pytest.mark.asyncio(loop_scope="module")
async def test_a_thousand_wrong_tokens_are_limited_and_a_right_one_still_gets_in(
    line: Line, visitor: httpx.AsyncClient
) -> None:
    token, _ = await invited(line)
    answers = []
    for each in range(1000):
        headers = {"X-Forwarded-For": f"10.0.0.{each % 250}"}
        posted = {"sender": f"wrong-{each}", "message": "9"}
        answers.append(await visitor.post(WEBHOOK, json=posted, headers=headers))
    statuses = [answer.status_code for answer in answers]
    assert statuses[:20] == [401] * 20
    assert statuses.count(429) > 950
    assert 0 < int(answers[-1].headers["retry-after"]) < 60
    assert answers[-1].json()["code"] == "too_many_wrong_tokens"
    assert len(payloads(await post(visitor, token))) == 11
