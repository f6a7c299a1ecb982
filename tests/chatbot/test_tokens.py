"""Wrong tokens are limited, and nobody is locked out by someone else's."""

import httpx
import pytest

from app.chatbot.tokens import MOST_ADDRESSES, WRONG_AT_ONCE, TooManyWrongTokens, WrongTokens
from tests.chatbot.chatting import WEBHOOK, invited, payloads, post
from tests.line import Line


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


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


def test_an_address_that_waits_may_try_again() -> None:
    clock = Clock()
    wrong = WrongTokens(clock)
    for _ in range(WRONG_AT_ONCE):
        wrong.note("192.0.2.1")
    with pytest.raises(TooManyWrongTokens) as refused:
        wrong.note("192.0.2.1")
    wrong.note("192.0.2.2")
    clock.now += refused.value.seconds
    wrong.note("192.0.2.1")
    with pytest.raises(TooManyWrongTokens):
        wrong.note("192.0.2.1")


def test_a_subscriber_of_ipv6_has_one_bucket_for_all_addresses() -> None:
    wrong = WrongTokens(Clock())
    for each in range(WRONG_AT_ONCE):
        wrong.note(f"2001:db8::{each:x}")
    with pytest.raises(TooManyWrongTokens):
        wrong.note("2001:db8::ffff")
    wrong.note("2001:db8:0:1::1")
    wrong.note("::ffff:192.0.2.1")
    wrong.note("no address")


def test_the_memory_of_wrong_tokens_is_bounded() -> None:
    wrong = WrongTokens(Clock())
    for each in range(MOST_ADDRESSES + 100):
        wrong.note(f"10.{each >> 16}.{each >> 8 & 255}.{each & 255}")
    assert len(wrong) == MOST_ADDRESSES
