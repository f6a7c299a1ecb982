"""What a site takes from us."""

import gzip
from pathlib import Path

import pytest

from app.chatbot import Origins
from app.chatbot.accepted_language import preferred
from app.chatbot.site import SCRIPT
from app.config import Settings, load_flows


def test_the_widget_is_one_small_script_that_never_reads_text_as_html() -> None:
    source = SCRIPT.read_bytes()
    assert len(gzip.compress(source, 9)) < 15_000
    for danger in (
        b"innerHTML",
        b"outerHTML",
        b"insertAdjacentHTML",
        b"document.write",
        b"eval(",
        b"DOMParser",
    ):
        assert danger not in source


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, None), ("", None), ("pl", "pl"), ("pl-PL,en;q=0.8", "pl"), ("xx,fr;q=0.2,en;q=0.9", "en"),
        ("en;q=0, nb-NO;q=0.1", "nb"), ("nn-NO, no;q=0.9, en;q=0.5", "nb"),
        ("*", None), ("en;q=x,;,q", None), ("x," * 10_000 + "en", None),
    ],
)  # fmt: skip
def test_a_browser_is_answered_in_the_language_it_likes_best(
    header: str | None, language: str | None
) -> None:
    assert preferred(header, load_flows(Path("flows"))["nps"].offered) == language


def test_sites_are_admitted_by_the_whole_of_their_origin() -> None:
    origins = Origins("https://shop.example,http://localhost:3000", "https://zeroten.example")
    for origin in (
        None,
        "https://shop.example",
        "http://localhost:3000",
        "https://zeroten.example",
        "http://here:1",
    ):
        assert origins.admit(origin, "here:1")
    for origin in (
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://shop.example:444",
        "null",
        "",
    ):
        assert not origins.admit(origin, "here:1")
    assert Origins("*", "https://zeroten.example").admit("https://anyone.example", None)


def test_the_list_of_sites_is_read_forgivingly_and_nonsense_is_refused() -> None:
    listed = Settings(_env_file=None, chat_origins=" https://Shop.example/ , http://[::1]:3000,")
    assert listed.chat_origins == "https://shop.example,http://[::1]:3000"
    assert Settings(_env_file=None, chat_origins="*").chat_origins == "*"
    for wrong in ("shop.example", "https://shop.example/path", "https://*.example", "ftp://x", "https://a b"):
        with pytest.raises(ValueError, match="is not an origin"):
            Settings(_env_file=None, chat_origins=wrong)
