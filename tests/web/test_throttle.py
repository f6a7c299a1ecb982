"""Errors are limited for each address, and nobody is held back by someone else's."""

from app.web.throttle import AT_ONCE, MOST_ADDRESSES, Throttle


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_that_waits_may_try_again() -> None:
    clock = Clock()
    wrong = Throttle(clock=clock)
    assert [wrong.note("192.0.2.1") for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert wrong.is_full("192.0.2.1")
    seconds = wrong.note("192.0.2.1")
    assert seconds > 0
    assert wrong.note("192.0.2.2") == 0
    clock.now += seconds
    assert not wrong.is_full("192.0.2.1")
    assert wrong.note("192.0.2.1") == 0
    assert wrong.note("192.0.2.1") > 0


def test_a_subscriber_of_ipv6_has_one_bucket_for_all_addresses() -> None:
    wrong = Throttle(clock=Clock())
    for each in range(AT_ONCE):
        assert wrong.note(f"2001:db8::{each:x}") == 0
    assert wrong.note("2001:db8::ffff") > 0
    assert [wrong.note(each) for each in ("2001:db8:0:1::1", "::ffff:192.0.2.1", "no address")] == [0, 0, 0]


def test_the_memory_of_errors_is_bounded() -> None:
    wrong = Throttle(clock=Clock())
    for each in range(MOST_ADDRESSES + 100):
        wrong.note(f"10.{each >> 16}.{each >> 8 & 255}.{each & 255}")
    assert len(wrong) == MOST_ADDRESSES
