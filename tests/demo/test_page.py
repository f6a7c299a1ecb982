"""The demo page in a real browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.demo.browser_phone import BrowserPhones
from app.rehearsal.people import HungUp, Pressed, Spoken
from tests.demo.chromium import PROGRAM, Page, browsing
from tests.demo.demo_server import Line, report_row, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here to show the page in"),
]

CONTRAST = """
(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.closest("option")) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) faint.push(`${element.className || element.tagName} ${element.textContent} ${ratio.toFixed(2)}`);
  }
  return faint;
})()
"""
NAMELESS = """
[...document.querySelectorAll("button, input, select")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !(each.getAttribute("aria-label") || each.labels?.length || each.textContent.trim()))
  .map((each) => each.outerHTML)
"""
TOO_SMALL = """
[...document.querySelectorAll("button, input, select, summary")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 24)
  .map((each) => each.outerHTML)
"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CALL_ME = '[data-for="idle"] .strong'


def answer(number: int, score: int, band: str, comment: str | None) -> dict[str, Any]:
    return {
        "survey_id": f"survey-of-{number}",
        "queue": "billing",
        "language": "en",
        "score": score,
        "band": band,
        "comment": comment,
        "answered_at": datetime(2026, 11, 21, 10, 15, tzinfo=UTC),
    }


@pytest.fixture
def line() -> Line:
    line = Line(BrowserPhones(ring_seconds=20))
    line.rows = [
        report_row("billing", 60, 20, 20),
        report_row("returns", 5, 4, 3),
        report_row("support", 0, 0, 0),
    ]
    line.latest = [
        answer(1, 0, "detractor", "Nobody called me back, <b>again</b>."),
        answer(2, 8, "passive", None),
    ]
    line.progress = (100, 400)
    return line


@pytest.fixture
async def page(line: Line) -> AsyncIterator[Page]:
    async with serving(line) as address, browsing() as page:
        await page.look(1280, 900)
        await page.goto(f"http://{address}/demo")
        await state(page, "idle")
        await page.until("document.querySelector('#queues li')")
        yield page
        assert page.problems == []


async def state(page: Page, name: str) -> None:
    await page.until(f"document.getElementById('phone')?.dataset.state === {json.dumps(name)}")


async def text(page: Page, selector: str) -> str:
    words: str = await page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
    return words


async def answered(page: Page) -> None:
    """A call from the page's button to the first words of the line."""
    await page.click(CALL_ME)
    await state(page, "ringing")
    await page.click("#accept")
    await state(page, "talking")
    await page.until("document.querySelector('.them')")


async def test_a_call_by_keyboard_and_words_from_the_button_to_what_was_stored(
    line: Line, page: Page
) -> None:
    await page.click(CALL_ME)
    await state(page, "ringing")
    assert "Northwind" in await text(page, "[data-for=ringing]")
    assert await page.evaluate("document.activeElement.id") == "accept"
    await page.press("Enter")
    await state(page, "talking")
    await page.until("document.querySelector('.them')")
    for digit in "10":
        await page.press(digit)
    await page.until("document.querySelectorAll('.them').length === 3")
    await page.click("#say input")
    await page.write("Anna listened, 5 stars")
    await page.press("Enter")
    await state(page, "ended")
    await page.until("document.getElementById('ended-band').textContent === 'Promoter'")
    assert line.reactions == [Pressed("1"), Pressed("0"), Spoken("Anna listened, 5 stars")]
    assert await text(page, "#ended-score") == "10"
    assert await text(page, "#ended-comment") == "“Anna listened, 5 stars”"
    assert await page.evaluate("document.querySelector('#ended-marks :nth-child(11)').className") == "chosen"


async def test_the_keypad_shows_what_was_pressed_and_the_score_lights_up_once_stored(
    line: Line, page: Page
) -> None:
    await answered(page)
    for key in "0#":
        await page.click(f'[data-key="{key}"]')
    await page.until("document.querySelector('#live-marks :first-child.chosen')")
    assert line.reactions == [Pressed("0"), Pressed("#")]
    assert "0 #" in await text(page, ".transcript .you")


async def test_escape_hangs_up_and_the_page_says_so(line: Line, page: Page) -> None:
    await answered(page)
    await page.press("Escape")
    await state(page, "ended")
    assert (await text(page, "#ended-how")).startswith("You hung up")
    assert await text(page, "#ended-words") == "Nothing was stored."
    await asyncio.gather(*line.calls)
    assert line.reactions == [HungUp()]


async def test_what_the_line_says_carries_its_language(page: Page) -> None:
    await page.evaluate("document.querySelector('[data-for=idle] [name=language]').value = 'pl'")
    await answered(page)
    assert await page.evaluate("document.querySelector('.them').lang") == "pl-PL"
    assert await page.evaluate("document.getElementById('transcript').getAttribute('role')") == "log"


async def test_declining_frees_the_phone_for_the_next_call(page: Page) -> None:
    await page.click(CALL_ME)
    await state(page, "ringing")
    await page.click("#decline")
    await state(page, "ended")
    assert await text(page, "#ended-how") == "You declined"
    await page.click('[data-for="ended"] .strong')
    await state(page, "ringing")


async def test_a_call_that_is_not_placed_says_why(line: Line, page: Page) -> None:
    line.skip_for = "opted_out"
    await page.click(CALL_ME)
    await page.until(
        "document.querySelector('[data-for=idle] .reply').textContent.includes('asked not to be called')"
    )


async def test_the_queues_show_their_scores_and_how_sure_they_are(line: Line, page: Page) -> None:
    rows = await page.evaluate("[...document.querySelectorAll('#queues li')].map((row) => row.className)")
    assert rows == ["", "few", "none", "total"]
    billing = await text(page, "#queues li")
    assert "+40" in billing
    assert "±" in billing
    assert "too few to say yet" in await text(page, "#queues .few")
    assert "Nobody has answered yet" in await text(page, "#queues .none")
    assert await text(page, "#latest .comment") == "Nobody called me back, <b>again</b>."
    line.rows = [report_row("billing", 60, 20, 120), *line.rows[1:]]
    await page.until("document.querySelector('#queues .nps').textContent.includes('−30')")


async def test_nothing_moves_when_numbers_arrive(line: Line, page: Page) -> None:
    places = """[...document.querySelectorAll('#queues li, #queues .plot, #queues .n, .funnel dd, #latest li, .note')]
        .map((each) => each.getBoundingClientRect()).map(({x, y, width, height}) => [x, y, width, height])"""
    await page.evaluate("document.fonts.ready.then(() => true)")
    before = await page.evaluate(places)
    line.rows = [
        report_row("billing", 6000, 2000, 20000),
        report_row("returns", 50, 4, 3),
        report_row("support", 1, 0, 0),
    ]
    line.latest = [answer(each, 10, "promoter", "A very long comment. " * 20) for each in range(3, 20)]
    line.progress = (400, 400)
    await page.until("document.querySelector('#queues .n').textContent.includes('28')")
    assert await page.evaluate(places) == before


async def test_paused_numbers_stand_still(line: Line, page: Page) -> None:
    await page.click("#pause")
    line.rows = [report_row("billing", 0, 0, 500), *line.rows[1:]]
    await page.evaluate("new Promise((done) => setTimeout(done, 1500))")
    assert "+40" in await text(page, "#queues li")
    await page.click("#pause")
    line.progress = (101, 400)
    await page.until("document.querySelector('#queues .nps').textContent.includes('−100')")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_state_fits_every_width_and_can_be_read(page: Page, dark: bool) -> None:
    async def check() -> None:
        for width in (320, 360, 768, 1280):
            await page.look(width, 800, dark=dark, still=True)
            assert await page.evaluate(WIDE) == 0, width
            assert await page.evaluate(CONTRAST) == []
            assert await page.evaluate(NAMELESS) == []
            assert await page.evaluate(TOO_SMALL) == []

    await check()
    await page.click(CALL_ME)
    await state(page, "ringing")
    await check()
    await page.click("#accept")
    await page.until("document.querySelector('.them')")
    await page.press("7")
    await page.press("#")
    await page.until("document.querySelectorAll('.them').length === 3")
    await check()
    await page.click("#hangup")
    await state(page, "ended")
    await page.until("document.getElementById('ended-band').textContent")
    await check()


async def test_a_reader_who_wants_no_motion_gets_none(page: Page) -> None:
    await page.look(1280, 900, still=True)
    await page.click(CALL_ME)
    await state(page, "ringing")
    moving = "getComputedStyle(document.querySelector('.wave i')).transitionDuration"
    assert await page.evaluate(moving) == "0s"
    drawn = "[...document.querySelectorAll('.wave i')].map((mark) => mark.className).join()"
    before = await page.evaluate(drawn)
    await page.evaluate("new Promise((done) => setTimeout(done, 600))")
    assert await page.evaluate(drawn) == before
