"""NPS: bands, the score, and how sure one may be of it.

The margin is the adjusted Wald interval for NPS (Rocks 2016, "Interval estimation for the Net Promoter Score"):
3/4 promoter, 3/2 passive and 3/4 detractor are added before the usual formula, so that small and one-sided samples
do not look certain. The score itself is never adjusted.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt

from app.survey.turn import Band

PERCENT_AT_95 = 196.0


def band(score: int) -> Band:
    """The band of a score from 0 to 10."""
    if not 0 <= score <= 10:
        raise ValueError(f"a score is from 0 to 10, not {score}")
    if score >= 9:
        return "promoter"
    return "passive" if score >= 7 else "detractor"


@dataclass(frozen=True)
class Tally:
    """How many answered in each band; the numbers are unrounded and in points, -100 to 100."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    def __post_init__(self) -> None:
        if min(self.promoters, self.passives, self.detractors) < 0:
            raise ValueError("a tally counts answers and is never negative")

    @property
    def n(self) -> int:
        """How many responses there are in all."""
        return self.promoters + self.passives + self.detractors

    @property
    def nps(self) -> float | None:
        """100 (promoters - detractors) / n; None where nobody answered."""
        return 100 * (self.promoters - self.detractors) / self.n if self.n else None

    @property
    def margin95(self) -> float | None:
        """Half the width of the adjusted 95% interval; None where nobody answered."""
        return self.adjusted[1] if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The adjusted 95% interval, low and high, within -100 to 100.

        Its middle is the adjusted estimate, which lies nearer to 0 than ``nps``; from two responses on, it holds
        ``nps`` itself.
        """
        if not self.n:
            return None
        centre, margin = self.adjusted
        return max(-100.0, centre - margin), min(100.0, centre + margin)

    @property
    def adjusted(self) -> tuple[float, float]:
        """The adjusted estimate and the half width of its 95% interval, which exist without any response, too."""
        n = self.n + 3
        promoters, detractors = (self.promoters + 0.75) / n, (self.detractors + 0.75) / n
        difference = promoters - detractors
        variance = promoters + detractors - difference**2
        return 100 * difference, PERCENT_AT_95 * sqrt(variance / n)


def rounded(points: float | None, digits: int = 1) -> float | None:
    """Points for display, halves away from zero and never -0.0; the only place where NPS is rounded."""
    if points is None:
        return None
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(points)).quantize(step, ROUND_HALF_UP)) + 0.0
