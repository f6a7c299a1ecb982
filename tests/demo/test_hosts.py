"""Which hosts the demo answers to."""

import httpx
import pytest
from fastapi import FastAPI

from app.demo.browser_phone import BrowserPhones
from app.demo.hosts import KnownHosts
from app.demo.page import demo_router
from tests.demo.demo_server import Line

HOST = "demo.northwind.example"


@pytest.fixture
def application() -> FastAPI:
    """The page, without its server."""
    line, app = Line(BrowserPhones()), FastAPI()
    app.include_router(demo_router(line.phones, line.demo()))
    app.add_middleware(KnownHosts, host=HOST)
    return app


async def status(application: FastAPI, host: str, path: str = "/demo") -> httpx.Response:
    """What a request that names this host is answered with."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://x") as http:
        return await http.get(path, headers={"Host": host})


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8000", True),
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("[::1]:8000", True),
        ("192.168.1.7:8000", True),
        (HOST, True),
        ("rebound.evil.example:8000", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1:8000@evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
async def test_only_the_demos_own_address_is_answered(application: FastAPI, host: str, known: bool) -> None:
    assert ((await status(application, host)).status_code == 200) is known


async def test_no_other_page_may_hold_the_demo_in_a_frame(application: FastAPI) -> None:
    answer = await status(application, "127.0.0.1")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("survey_id", ["garbage", "%00", "1" * 5000])
async def test_a_survey_that_cannot_be_is_refused(application: FastAPI, survey_id: str) -> None:
    assert (await status(application, "127.0.0.1", f"/demo/calls/{survey_id}")).status_code == 422
