"""The demo's queues, and the customers whose interactions end there."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Literal
from uuid import uuid4

from app.intake import Customer, InteractionIn
from app.phone_numbers import parse_phone_number
from app.rehearsal.people import Mood, Person

NUMBERS = {"en": "+4420794{:05d}", "pl": "+4822{:07d}", "nb": "+4722{:06d}", "fr": "+331{:08d}"}


@dataclass(frozen=True)
class DemoQueue:
    """A queue of the demo: who works there, what is spoken, and how its customers feel."""

    queue: str
    agents: tuple[str, ...]
    languages: tuple[str, ...]
    mood: Mood
    share: float
    survey_by: Literal["voice", "sms"] = "voice"


DEMO_QUEUES = (
    DemoQueue("Sales", ("Anna", "Ola"), ("en", "pl", "nb"), Mood(0.62, 0.25, 0.13), 0.34),
    DemoQueue(
        "Support", ("Marek", "Ingrid", "Chloé"), ("en", "pl", "fr", "nb"), Mood(0.46, 0.30, 0.24), 0.36
    ),
    DemoQueue("Billing", ("Julie", "Tomasz"), ("fr", "pl", "en"), Mood(0.26, 0.30, 0.44), 0.25),
    DemoQueue("Returns", ("Kari",), ("nb", "en"), Mood(0.40, 0.30, 0.30), 0.05, "sms"),
)


@dataclass
class DemoCustomers:
    """The rehearsed customers by number, and how many of them have been called."""

    total: int
    done: int = 0
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, number: str) -> Person:
        """Who answers at this number: one who was met before, else a stranger who speaks English."""
        return self.people.get(number, Person())


def meeting(chance: Random) -> tuple[DemoQueue, str]:
    """A queue, and the language in which a customer speaks to it."""
    queue = chance.choices(DEMO_QUEUES, [queue.share for queue in DEMO_QUEUES])[0]
    return queue, chance.choice(queue.languages)


def called(number: int, book: DemoCustomers) -> InteractionIn:
    """The interaction of the n-th customer, who is put in the book."""
    chance = Random(number)  # noqa: S311 - a rehearsal, not a secret
    queue, language = meeting(chance)
    phone = phone_of(language, number)
    book.people[phone] = Person(language, queue.mood)
    customer = Customer(crm_id=f"crm-{number:05d}", phone=phone, consent=True)
    item = interaction(queue.queue, language, customer, chance.choice(queue.agents))
    return item.model_copy(update={"survey_by": queue.survey_by})


def phone_of(language: str, number: int) -> str:
    """The n-th number of the language's country, E.164."""
    return parse_phone_number(NUMBERS[language].format(number)).e164


def interaction(
    queue: str,
    language: str,
    customer: Customer,
    agent: str | None = None,
    channel: Literal["voice", "chat"] = "voice",
) -> InteractionIn:
    """An interaction that ends now, as the demo's contact centre would post it."""
    return InteractionIn(
        id=f"demo-{uuid4().hex}",
        channel=channel,
        queue=queue,
        agent=agent,
        ended_at=datetime.now(UTC),
        language=language,
        talk_seconds=180,
        customer=customer,
    )
