"""What must hold, worked out anew from what the carrier took and what people did, with none of the product's code."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.simulation import clock
from tests.simulation.carrier import UUID_PATTERN, Kind, Placement
from tests.simulation.database import Database
from tests.simulation.people import Person
from tests.simulation.story import Story

Span = tuple[float, float]
HOURS: dict[str, tuple[tuple[Span, ...], frozenset[int]]] = {
    "PL": (((9, 20),), frozenset(range(7))),
    "NO": (((9, 21),), frozenset(range(5))),
    "FR": (((10, 13), (14, 20)), frozenset(range(5))),
    "US": (((8, 21),), frozenset(range(7))),
}
HOLIDAYS = {
    "FR": {date(2026, 11, 11), date(2026, 12, 25), date(2027, 1, 1), date(2027, 3, 29), date(2027, 5, 6)},
    "NO": {date(2026, 12, 25), date(2027, 1, 1), date(2027, 3, 25), date(2027, 3, 26), date(2027, 3, 29),
           date(2027, 5, 6), date(2027, 5, 17)},
}  # fmt: skip
# Between the last look at the rules and the ring: a slot, and a request that may leave 15 seconds late.
GRACE = timedelta(seconds=30)
MARGIN_SECONDS = 0.03
OPEN = ("scheduled", "contacting", "in_progress")


@dataclass
class Model:
    """Watches a simulation. What does not hold stands in ``broken``."""

    database: Database
    story: Story
    per_second: float
    broken: list[str] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    every_days: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    scores: dict[str, int] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    surveys: dict[str, str] = field(default_factory=dict)
    _stops: dict[str, datetime] = field(default_factory=dict)
    _contacts: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    _paced: dict[Kind, list[datetime]] = field(default_factory=lambda: {"call": [], "message": []})

    def report(self, wrong: str) -> None:
        """Something does not hold."""
        self.story.tell(f"BROKEN: {wrong}")
        self.broken.append(wrong)

    def stopped(self, phone: str) -> None:
        """The product has acknowledged that this phone is never to be tried again."""
        self.story.tell(f"{phone} said stop")
        self._stops.setdefault(phone, clock.now())

    def scored(self, address: str, digits: str) -> None:
        """The product has acknowledged a score."""
        survey_id, score = re.findall(UUID_PATTERN, address)[0], int(digits)
        found = self.database.rows("SELECT score FROM responses WHERE survey_id = %s", (survey_id,))
        if [row["score"] for row in found] != [score]:
            self.report(f"score {score} of survey {survey_id} was acknowledged, and stored is {found}")
        self.scores[survey_id] = score

    def taken(self, placement: Placement) -> None:
        """The carrier has taken a call or a message."""
        self.story.tell(f"{placement.kind} to {placement.to}, attempt {placement.attempt_id}")
        if placement.attempt_id in self.surveys and placement.kind == "call":
            self.report(f"attempt {placement.attempt_id} was placed twice")
        survey = self._survey(placement)
        if survey is None:
            return
        self.surveys[placement.attempt_id] = str(survey["id"])
        self._check_hours(placement, self.people[survey["interaction_id"]])
        self._check_cadence(placement, survey)
        self._check_pace(placement)
        self._check_alone(placement)
        stop = self._stops.get(placement.to)
        if stop is not None and placement.at > stop + GRACE:
            self.report(f"{placement.to} said stop at {stop}")
        self.placements.append(placement)

    def _survey(self, placement: Placement) -> dict[str, Any] | None:
        found = self.database.rows(
            "SELECT surveys.*, attempts.number, attempts.begun_at FROM attempts JOIN surveys ON surveys.id = survey_id"
            " WHERE attempts.id = %s",
            (UUID(placement.attempt_id),),
        )
        if not found:
            self.report(f"the carrier was asked for attempt {placement.attempt_id}, which is not written")
            return None
        return found[0]

    def _check_hours(self, placement: Placement, person: Person) -> None:
        spans, weekdays = HOURS[person.country]
        if not any(
            self._is_open(placement.at - grace, person, spans, weekdays) for grace in (timedelta(), GRACE)
        ):
            self.report(
                f"{placement.to} ({person.country}) was tried at {placement.at.astimezone(person.zone)}"
            )

    @staticmethod
    def _is_open(at: datetime, person: Person, spans: tuple[Span, ...], weekdays: frozenset[int]) -> bool:
        local = at.astimezone(person.zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        is_holiday = local.date() in HOLIDAYS.get(person.country, set())
        return local.weekday() in weekdays and not is_holiday and any(a <= hour < b for a, b in spans)

    def _check_cadence(self, placement: Placement, survey: dict[str, Any]) -> None:
        peace = timedelta(days=self.every_days[survey["queue"]])
        person, survey_id = self.people[survey["interaction_id"]], str(survey["id"])
        for key in (f"phone:{placement.to}", f"crm:{person.crm_id}"):
            last = self._contacts.get(key)
            if last is not None and last[1] != survey_id and placement.at < last[0] + peace:
                self.report(f"{key} was tried at {last[0]} for survey {last[1]}, and now for {survey_id}")
            # A survey counts from its first attempt; another one of it, or its reminder, changes nothing.
            if (last is None or last[1] != survey_id) and key != "crm:None":
                self._contacts[key] = (placement.at, survey_id)

    def _check_pace(self, placement: Placement) -> None:
        if placement.late:  # it stood still behind its slot
            return
        times = self._paced[placement.kind]
        window = timedelta(seconds=max(1.0, 1 / self.per_second) - MARGIN_SECONDS)
        times[:] = [*(at for at in times if at > placement.at - window), placement.at]
        if len(times) > max(1.0, self.per_second):
            self.report(f"{len(times)} {placement.kind}s were started within {window}")

    def _check_alone(self, placement: Placement) -> None:
        others = [
            each
            for each in self.placements
            if each.kind == placement.kind == "call" and each.to == placement.to and not each.over.is_set()
        ]
        if others:
            self.report(f"{placement.to} was called while another call to it went on")

    def check_rows(self) -> None:
        """What was acknowledged is kept, and the sums are those of the rows."""
        self._check_decisions()
        self._check_scores()
        self._check_numbers()
        for name, mine, theirs in (
            ("invited", self._count("contacted_at"), self._sums("invited")),
            ("reached", self._count("reached_at"), self._sums("reached")),
            *(
                (band + "s", self._bands(band), self._sums(band + "s"))
                for band in ("promoter", "passive", "detractor")
            ),
        ):
            if mine != theirs:
                self.report(f"{name}: {mine - theirs or theirs - mine} differs between the rows and the sums")

    def _check_decisions(self) -> None:
        found = self.database.rows("SELECT id, decision, reason FROM interactions")
        kept = {row["id"]: (row["decision"], row["reason"]) for row in found}
        for interaction_id, decision in self.decisions.items():
            if kept.get(interaction_id) != decision:
                self.report(f"{interaction_id} was {decision}, and is {kept.get(interaction_id)}")

    def _check_scores(self) -> None:
        found = self.database.rows("SELECT survey_id, score FROM responses")
        kept = {str(row["survey_id"]): row["score"] for row in found}
        for survey_id, score in self.scores.items():
            if kept.get(survey_id) != score:
                self.report(f"survey {survey_id} had {score}, and has {kept.get(survey_id)}")
        self.scores |= kept

    def _check_numbers(self) -> None:
        """No attempt of a survey was placed twice, under whichever id."""
        found = self.database.rows("SELECT id, survey_id, number FROM attempts")
        named = {str(row["id"]): (row["survey_id"], row["number"]) for row in found}
        calls = [each.attempt_id for each in self.placements if each.kind == "call"]
        for attempt_id in calls:
            if attempt_id not in named:
                self.report(f"attempt {attempt_id} was placed, and is not written any more")
        for number, count in Counter(named[each] for each in calls if each in named).items():
            if count > 1:
                self.report(f"attempt {number} was placed {count} times")

    def _count(self, moment: str) -> Counter[tuple[str, date]]:
        surveys = self.database.rows("SELECT queue, contacted_at, reached_at FROM surveys")
        return Counter((row["queue"], row[moment].date()) for row in surveys if row[moment] is not None)

    def _bands(self, band: str) -> Counter[tuple[str, date]]:
        found = self.database.rows("SELECT queue, answered_at, score FROM responses")
        low, high = {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 6)}[band]
        return Counter(
            (row["queue"], row["answered_at"].date()) for row in found if low <= row["score"] <= high
        )

    def _sums(self, name: str) -> Counter[tuple[str, date]]:
        sums: Counter[tuple[str, date]] = Counter()
        for row in self.database.rows("SELECT * FROM nps_daily"):
            sums[row["queue"], row["day"]] += row[name]
        return +sums

    def check_end(self) -> None:
        """Every survey has ended, and no job is left over."""
        self.check_rows()
        for row in self.database.rows("SELECT id, status, channel, due_at FROM surveys"):
            if row["status"] in OPEN:
                self.report(
                    f"survey {row['id']} ({row['channel']}) is still {row['status']}, due {row['due_at']}"
                )
        for row in self.database.rows(
            "SELECT task_name, status, args FROM procrastinate_jobs WHERE status <> 'todo'"
        ):
            self.report(f"job {row['task_name']} {row['args']} is {row['status']}")
