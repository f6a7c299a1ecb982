"""The score and its margin."""

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.survey import Tally, band, rounded

counts = st.integers(0, 5) | st.integers(0, 100_000)
tallies = st.builds(Tally, counts, counts, counts).filter(lambda tally: tally.n > 0)


@pytest.mark.parametrize(
    ("scores", "name"), [(range(7), "detractor"), (range(7, 9), "passive"), (range(9, 11), "promoter")]
)
def test_every_score_has_its_band(scores: range, name: str) -> None:
    assert {band(score) for score in scores} == {name}


@pytest.mark.parametrize("score", [-1, 11])
def test_what_is_no_score_has_no_band(score: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 10"):
        band(score)


def test_nobody_answered_means_no_score_no_margin_and_no_interval() -> None:
    nobody = Tally()
    assert (nobody.n, nobody.nps, nobody.margin95, nobody.interval) == (0, None, None, None)


def test_a_tally_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Tally(promoters=-1)


def test_the_score_is_the_plain_one() -> None:
    assert Tally(50, 30, 20).nps == 30.0
    assert Tally(0, 0, 1).nps == -100.0
    assert Tally(0, 5, 0).nps == 0.0


@pytest.mark.parametrize(
    ("tally", "plain", "adjusted"),
    [(Tally(50, 30, 20), 15.3, 15.1), (Tally(200, 120, 80), 7.7, 7.6), (Tally(5000, 3000, 2000), 1.5, 1.5)],
)
def test_half_promoters_and_a_fifth_detractors_have_the_known_margins(
    tally: Tally, plain: float, adjusted: float
) -> None:
    promoters, detractors = tally.promoters / tally.n, tally.detractors / tally.n
    variance = promoters + detractors - (promoters - detractors) ** 2
    assert rounded(196 * sqrt(variance / tally.n)) == plain
    assert rounded(tally.margin95) == adjusted


def test_the_adjusted_interval_of_a_small_sample_worked_by_hand() -> None:
    # 4 promoters, 2 passives, 1 detractor: with 3/4, 3/2, 3/4 added that is 4.75, 3.5, 1.75 of 10.
    tally = Tally(4, 2, 1)
    margin = 196 * sqrt((0.475 + 0.175 - 0.3**2) / 10)
    assert tally.margin95 == pytest.approx(margin)
    assert tally.interval == pytest.approx((30 - margin, 30 + margin))


@settings(deadline=None)
@given(tallies)
def test_score_and_interval_stay_on_the_scale(tally: Tally) -> None:
    assert tally.nps is not None
    assert tally.interval is not None
    low, high = tally.interval
    assert -100 <= low < high <= 100
    # A single answer says so little that its own +-100 lies just outside.
    assert low <= tally.nps <= high or tally.n == 1


@settings(deadline=None)
@given(tallies)
def test_promoters_and_detractors_mirror_each_other(tally: Tally) -> None:
    mirrored = Tally(tally.detractors, tally.passives, tally.promoters)
    assert tally.nps is not None
    assert tally.interval is not None
    assert mirrored.nps == -tally.nps
    assert mirrored.margin95 == pytest.approx(tally.margin95)
    assert mirrored.interval == pytest.approx((-tally.interval[1], -tally.interval[0]))


@settings(deadline=None)
@given(tallies, st.integers(2, 50))
def test_more_of_the_same_answers_never_widen_the_margin(tally: Tally, times: int) -> None:
    more = Tally(tally.promoters * times, tally.passives * times, tally.detractors * times)
    assert tally.margin95 is not None
    assert more.margin95 is not None
    assert more.margin95 < tally.margin95


@settings(deadline=None)
@given(st.integers(1, 1_000), st.sampled_from(["promoters", "passives", "detractors"]))
def test_a_one_sided_sample_is_never_certain(n: int, side: str) -> None:
    margin = Tally(**{side: n}).margin95
    assert margin is not None
    assert rounded(margin) not in {None, 0.0}


@pytest.mark.parametrize(
    ("points", "shown"),
    [(12.25, 12.3), (-12.25, -12.3), (33.333333, 33.3), (66.666667, 66.7), (-0.04, 0.0), (100.0, 100.0)],
)
def test_display_rounds_halves_away_from_zero(points: float, shown: float) -> None:
    assert rounded(points) == shown
    assert str(rounded(points)) == str(shown)


def test_nothing_rounds_to_nothing() -> None:
    assert rounded(None) is None
