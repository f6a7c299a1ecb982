"""Messages at the rehearsed carrier: their way, and the people who answer them."""

from pathlib import Path

import httpx
import pytest

from app.config import load_flows
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import (
    Correspondent,
    Mood,
    Person,
    Phone,
    RandomCaller,
    RandomPhones,
    ScriptedCaller,
    read_script,
)
from app.rehearsal.people.phrases import TONGUES
from app.rehearsal.twilio import RehearsedCarrier
from app.rehearsal.twilio.faults import Faults
from app.survey import Answer, Words
from app.survey.hear import hear
from tests.rehearsal.twilio.conftest import SID
from tests.rehearsal.twilio.product import Product

HER = "+48221234567"
OURS = "+48221111111"
FLOW = load_flows(Path("flows"))["nps"]
REPLY = "<Response><Message>Why?</Message></Response>"


async def send(http: httpx.AsyncClient, product: Product, body: str = "0-10?", to: str = HER) -> str:
    form = {"To": to, "From": OURS, "Body": body, "StatusCallback": f"{product.url}/status"}
    answer = await http.post(f"/2010-04-01/Accounts/{SID}/Messages.json", data=form)
    assert answer.status_code == 201
    return str(answer.json()["sid"])


@pytest.mark.parametrize(
    ("faults", "statuses"),
    [
        (Faults(), ["sent", "delivered"]),
        (Faults(message="read"), ["sent", "read"]),
        (Faults(message="sent"), ["sent"]),
        (Faults(callbacks="reversed"), ["delivered", "sent"]),
        (Faults(message="undelivered", message_error=30006), ["sent", "undelivered"]),
        (Faults(message="failed", message_error=30005), ["failed"]),
    ],
)
async def test_a_message_goes_its_way(
    carrier: RehearsedCarrier, http: httpx.AsyncClient, product: Product, faults: Faults, statuses: list[str]
) -> None:
    carrier.fault_plan.tell(faults, HER)
    sid = await send(http, product)
    await carrier.quiet()
    told = product.forms("/status")
    assert [each["MessageStatus"] for each in told] == statuses
    shown = (await http.get(f"/2010-04-01/Accounts/{SID}/Messages/{sid}.json")).json()
    assert shown["status"] == faults.message
    lost = faults.message in {"undelivered", "failed"}
    assert shown["error_code"] == (faults.message_error if lost else None)
    assert [each.get("ErrorCode") for each in told][-1] == (str(faults.message_error) if lost else None)


async def test_segments_are_counted_as_the_network_does(
    carrier: RehearsedCarrier, http: httpx.AsyncClient, product: Product
) -> None:
    sid = await send(http, product, "ż" * 71)
    await carrier.quiet()
    shown = (await http.get(f"/2010-04-01/Accounts/{SID}/Messages/{sid}.json")).json()
    assert shown["num_segments"] == "2"


@pytest.mark.parametrize("to", [HER, f"whatsapp:{HER}"])
async def test_a_scripted_person_answers_message_by_message(
    carrier: RehearsedCarrier, http: httpx.AsyncClient, product: Product, to: str
) -> None:
    product.documents["/messages"] = REPLY
    carrier.message_url = f"{product.url}/messages"
    person = ScriptedCaller(read_script("9 | cheap and fast"), PacedClock(0))
    carrier.phones.put(HER, lambda _: Phone(person, PacedClock(0)))
    await send(http, product, to=to)
    await carrier.quiet()
    assert person.read_texts == ["0-10?", "Why?", "Why?"]
    assert [(each["Body"], each["From"]) for each in product.forms("/messages")] == [
        ("9", to),
        ("cheap and fast", to),
    ]


async def test_nobody_answers_a_message_that_never_arrived(
    carrier: RehearsedCarrier, http: httpx.AsyncClient, product: Product
) -> None:
    carrier.message_url = f"{product.url}/messages"
    carrier.phones.put(HER, lambda _: Phone(ScriptedCaller(read_script("9"), PacedClock(0)), PacedClock(0)))
    carrier.fault_plan.tell(Faults(message="undelivered"), HER)
    await send(http, product)
    await carrier.quiet()
    assert product.forms("/messages") == []


def chance_person(language: str, mood: Mood) -> RandomCaller:
    caller = RandomPhones(pace=0, person_for=lambda _: Person(language, mood))(HER).caller
    assert isinstance(caller, RandomCaller)
    assert isinstance(caller, Correspondent)
    return caller


@pytest.mark.parametrize("language", ["en", "pl", "nb", "fr"])
async def test_people_left_to_chance_write_what_they_are_asked_for(language: str) -> None:
    caller = chance_person(language, Mood(no_answer=0, opts_out=0, is_unsure=0, leaves_at_comment=0))
    for _ in range(20):
        score = await caller.read("0 ... 10?")
        assert score is not None
        assert hear("score", Words(score), FLOW.wording(language).vocabulary) == Answer(caller.score)
    assert await caller.read("Hvorfor?") in TONGUES[language].comments[caller.band]
    assert await caller.read("1 = tak, 2 = nie.") in (*TONGUES[language].yes, *TONGUES[language].no)
    assert await caller.read("Merci.") is None


async def test_people_left_to_chance_sometimes_do_not_answer() -> None:
    assert await chance_person("en", Mood(no_answer=1)).read("0 to 10?") is None
