"""Those who are called: phones in four countries, households that share one, and people with two ids at the CRM."""

import random
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Person:
    """Somebody with a phone, where they live, and how they are known to the CRM."""

    crm_id: str | None
    phone: str
    country: str
    zone: ZoneInfo


PLACES = (
    ("PL", "+4822", 7, "Europe/Warsaw"),
    ("NO", "+4722", 6, "Europe/Oslo"),
    ("FR", "+331", 8, "Europe/Paris"),
    ("US", "+1212555", 4, "America/New_York"),
)
SHARED = 0.15
DOUBLE = 0.1
UNKNOWN = 0.05


def draw_people(draw: random.Random, count: int) -> list[Person]:
    """So many entries of a CRM; some phones and some people are in it more than once."""
    people: list[Person] = []
    for number in range(count):
        chance = draw.random()
        if people and chance < SHARED:
            other = draw.choice(people)
            people.append(Person(f"crm-{number}", other.phone, other.country, other.zone))
        elif people and chance < SHARED + DOUBLE:
            country, phone, zone = draw_phone(draw)
            people.append(Person(draw.choice(people).crm_id, phone, country, zone))
        else:
            country, phone, zone = draw_phone(draw)
            crm_id = None if draw.random() < UNKNOWN else f"crm-{number}"
            people.append(Person(crm_id, phone, country, zone))
    return people


def draw_phone(draw: random.Random) -> tuple[str, str, ZoneInfo]:
    """A country, a number of it, and the time zone there."""
    country, prefix, digits, zone = draw.choice(PLACES)
    number = draw.randrange(2 * 10 ** (digits - 1), 10**digits)
    return country, f"{prefix}{number}", ZoneInfo(zone)
