"""Another process tells the carrier how to behave and asks it what happened."""

import httpx

from app.rehearsal.twilio import RehearsedCarrier
from tests.rehearsal.twilio.conftest import SID
from tests.rehearsal.twilio.product import Product

TO, FROM = "+48221234567", "+48221111111"


async def place(http: httpx.AsyncClient, product: Product, to: str = TO) -> None:
    form = {"To": to, "From": FROM, "Url": f"{product.url}/voice"}
    assert (await http.post(f"/2010-04-01/Accounts/{SID}/Calls.json", data=form)).status_code == 201


async def test_a_temper_is_told_and_taken(
    http: httpx.AsyncClient, carrier: RehearsedCarrier, product: Product
) -> None:
    order = {"to": TO, "times": 1, "faults": {"pickup": "busy"}}
    assert (await http.post("/rehearsal/faults", json=order)).status_code == 204
    await place(http, product)
    await place(http, product)
    await carrier.quiet()
    summary = (await http.get("/rehearsal/summary")).json()
    assert summary["by_status"] == {"busy": 1, "completed": 1}
    assert summary["called_again"] == {TO: 2}


async def test_a_script_is_told_and_the_transcript_shows_it(
    http: httpx.AsyncClient, carrier: RehearsedCarrier, product: Product
) -> None:
    await http.post("/rehearsal/script", json={"to": TO, "script": "3"})
    await place(http, product)
    await place(http, product, "+48220000000")
    await carrier.quiet()
    calls = (await http.get("/rehearsal/calls", params={"to": TO})).json()
    assert [call["transcript"][1] for call in calls] == ["caller         [3]"]
    assert len((await http.get("/rehearsal/calls", params={"limit": "1"})).json()) == 1


async def test_somebody_is_told_to_call_and_to_write_in(
    http: httpx.AsyncClient, carrier: RehearsedCarrier, product: Product
) -> None:
    product.documents["/messages"] = "<Response><Message>Thank you.</Message></Response>"
    call = {"from_number": TO, "to": FROM, "url": f"{product.url}/voice", "script": "4"}
    assert (await http.post("/rehearsal/incoming-call", json=call)).status_code == 201
    await carrier.quiet()
    assert product.forms("/heard")[0]["Digits"] == "4"
    message = {"from_number": TO, "to": FROM, "url": f"{product.url}/messages", "body": "9"}
    assert (await http.post("/rehearsal/incoming-message", json=message)).json() == ["Thank you."]


async def test_an_order_that_makes_no_sense_is_refused(http: httpx.AsyncClient) -> None:
    for order in ({"faults": {"pickup": "perhaps"}}, {"faults": {}, "two": TO}, {}):
        assert (await http.post("/rehearsal/faults", json=order)).status_code == 400
