"""Our widget in a real browser, in the page of another site."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.config import Settings
from tests.chatbot.chatting import invited
from tests.chatbot.shop import IN_SHADOW, Shop, Widget, opened_shop
from tests.demo.chromium import PROGRAM, Page, browsing
from tests.line import Line, a_line, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here to show the widget in"),
]

HOSTILE = """* { all: unset !important; display: none !important; font: 3px cursive !important; color: lime !important }
html, body, h1, script + * { display: block !important } button { width: 1px !important }"""
CONTRAST = f"""
(() => {{
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {{
    const [r, g, b] = colour.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }};
  const behind = (element) => {{
    for (let at = element; at; at = at.parentElement) {{
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }}
    return [255, 255, 255];
  }};
  const faint = [];
  for (const element of {IN_SHADOW}.querySelectorAll("*")) {{
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility() || element.closest('[aria-busy="true"]')) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) faint.push([element.className || element.tagName, element.textContent, ratio.toFixed(2)]);
  }}
  return faint;
}})()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Shop]:
    async with opened_shop() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(
    shop: Shop, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Line]:
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(module_database_url),
        data_dir=tmp_path_factory.mktemp("data"),
        chat_origins=shop.address,
        brand="Northwind",
    )
    async with a_line(settings, worker=False) as running_line:
        yield running_line


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab() -> AsyncIterator[Page]:
    async with browsing() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(tab: Page) -> Page:
    """A tab as if it were fresh."""
    await tab.goto("about:blank")
    await tab.look(1280, 900)
    tab.problems.clear()
    return tab


@pytest.fixture
def widget(page: Page) -> Widget:
    return Widget(page)


def tag(line: Line, token: str, **data: str) -> str:
    attributes = "".join(
        f' data-{name}="{html.escape(value)}"' for name, value in {"token": token, **data}.items()
    )
    return f'<script src="{line.http.base_url}/widget.js"{attributes}></script>'


async def shown(
    line: Line, shop: Shop, page: Page, style: str = "", language: str = "en", **data: str
) -> str:
    """The survey's id, once the widget shows its first question in the shop's page."""
    token, survey_id = await invited(line, language=language)
    shop.show(tag(line, token, **data), style=style)
    await page.goto(shop.address)
    await Widget(page).until(".scale")
    return survey_id


async def stored(line: Line, survey_id: str, **wanted: object) -> None:
    """Wait until the response is this."""

    async def is_so() -> bool:
        response = (await line.story(survey_id))["response"] or {}
        return {name: response.get(name) for name in wanted} == wanted

    await eventually(is_so)


async def offline(page: Page, *, away: bool) -> None:
    await page.send("Network.enable")
    await page.send(
        "Network.emulateNetworkConditions",
        offline=away,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )


@pytest.mark.parametrize("position", ["inline", "corner"])
async def test_a_whole_survey_by_click_in_a_hostile_page(
    line: Line, shop: Shop, page: Page, widget: Widget, position: str
) -> None:
    survey_id = await shown(line, shop, page, HOSTILE, position=position)
    assert "Northwind" in await widget.text()
    assert await widget.text("header p") == "Question 1 of 3"
    heights = await widget.all(".scale button", "[each.offsetWidth >= 28, each.offsetHeight >= 44]")
    assert heights == [[True, True]] * 11
    assert await widget.all("button[data-band]", "each.textContent") == []
    await widget.score(0)
    await widget.until("textarea")
    assert await widget.text("header p") == "Question 2 of 3"
    await widget.click("textarea")
    await page.write("<img src=x onerror=alert(1)>\n& slow")
    await widget.click(".send")
    await widget.says("call you back")
    await widget.click(".choices button")
    await widget.says("Thank you!")
    await stored(line, survey_id, score=0, comment="<img src=x onerror=alert(1)>\n& slow", callback=True)
    assert page.problems == []


async def test_a_whole_survey_by_keyboard_alone(line: Line, shop: Shop, page: Page, widget: Widget) -> None:
    survey_id = await shown(line, shop, page)
    await widget.tab_to(".scale button")
    for _ in range(8):
        await page.press("ArrowRight")
    await page.press("ArrowLeft")
    await page.press("Enter")
    await widget.until("textarea")
    assert await page.evaluate(f"{IN_SHADOW}.activeElement.id") == "question"
    await widget.tab_to("textarea")
    await page.write("all right")
    await widget.tab_to(".send")
    assert await page.evaluate(f"getComputedStyle({IN_SHADOW}.activeElement).outlineStyle") == "solid"
    await page.press("Enter")
    await widget.says("Thank you")
    await stored(line, survey_id, score=7, comment="all right")
    await page.press("Escape")
    await page.until("!document.querySelector('zeroten-survey')")


async def test_the_chosen_score_is_filled_in_its_band_only_after_the_choice(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    for number, band in ((6, "detractor"), (7, "passive"), (10, "promoter")):
        await shown(line, shop, page)
        fills = await widget.all(".scale button", "getComputedStyle(each).backgroundColor")
        assert len(set(fills)) == 1
        await widget.score(number)
        await widget.until(f'.scale button[aria-pressed="true"][data-band="{band}"]')
        await widget.until(f'.marks :nth-child({number + 1})[data-band="{band}"]')


async def test_a_reload_in_the_middle_keeps_the_place_and_the_draft(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    survey_id = await shown(line, shop, page)
    await widget.score(9)
    await widget.click("textarea")
    await page.write("half a thou")
    await page.send("Page.reload")
    await page.until("!document.querySelector('zeroten-survey')")
    await widget.until("textarea")
    assert await page.evaluate(f"{widget.at('textarea')}.value") == "half a thou"
    await widget.click("textarea")
    await page.send("Input.dispatchKeyEvent", type="keyDown", key="End", windowsVirtualKeyCode=35)
    await page.write("ght")
    await widget.click(".send")
    await widget.says("Thank you")
    await stored(line, survey_id, score=9, comment="half a thought")
    assert len((await line.story(survey_id))["turns"]) == 3


async def test_an_answer_given_offline_is_sent_once_the_connection_is_back(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    survey_id = await shown(line, shop, page)
    await offline(page, away=True)
    await widget.score(4)
    await page.until(f"{widget.at('.notice')}.textContent.startsWith('You are offline')")
    await widget.until('.scale [aria-pressed="true"]')
    assert (await line.story(survey_id))["response"] is None
    await offline(page, away=False)
    await widget.until("textarea")
    assert await widget.text(".notice") == ""
    await stored(line, survey_id, score=4, comment=None)
    assert len((await line.story(survey_id))["turns"]) == 2


async def test_an_answer_whose_reply_was_lost_is_not_heard_twice(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    survey_id = await shown(line, shop, page)
    await page.evaluate(
        "(() => { const real = fetch; let lost = 2; window.fetch = async (...what) => { const answer = await"
        " real(...what); if (lost-- > 0) throw new TypeError('lost'); return answer; }; })()"
    )
    await widget.score(8)
    await widget.until("textarea")
    await stored(line, survey_id, score=8, comment=None)
    assert len((await line.story(survey_id))["turns"]) == 2


async def test_two_tabs_show_the_same_next_question(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    survey_id = await shown(line, shop, page)
    async with browsing() as second:
        other = Widget(second)
        await second.look(1280, 900)
        await second.goto(shop.address)
        await asyncio.gather(other.until(".scale"), widget.until(".scale"))
        await widget.score(2)
        await widget.until("textarea")
        await other.score(10)
        await other.until("textarea")
    await stored(line, survey_id, score=2, comment=None)


async def test_the_box_counts_grows_and_can_be_skipped(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    survey_id = await shown(line, shop, page)
    await widget.score(10)
    await widget.click("textarea")
    assert await widget.text(".count") == "2,000 characters left"
    small = await page.evaluate(f"{widget.at('textarea')}.offsetHeight")
    await page.write("one\n" * 6)
    assert await widget.text(".count") == "1,976 characters left"
    assert await page.evaluate(f"{widget.at('textarea')}.offsetHeight") > small
    await widget.click(".row .plain")
    await widget.says("Thank you")
    await stored(line, survey_id, score=10, comment=None)


async def test_one_button_stops_it_for_good(line: Line, shop: Shop, page: Page, widget: Widget) -> None:
    survey_id = await shown(line, shop, page)
    await widget.click(".stop")
    await widget.says("we won't ask you again")
    assert (await line.story(survey_id))["status"] == "opted_out"


async def test_who_closes_it_is_left_in_peace_after_a_reload(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    await shown(line, shop, page)
    await widget.click(".close")
    await page.evaluate("window.before = true")
    await page.send("Page.reload")
    await page.until("!window.before && document.readyState === 'complete'")
    await asyncio.sleep(0.5)
    assert not await page.evaluate("Boolean(document.querySelector('zeroten-survey'))")


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_a_wrong_token_disturbs_nobodys_page(line: Line, shop: Shop, page: Page, token: str) -> None:
    shop.show(tag(line, token))
    await page.goto(shop.address)
    await page.until("document.readyState === 'complete'")
    await asyncio.sleep(0.5)
    assert not await page.evaluate("Boolean(document.querySelector('zeroten-survey'))")


async def test_a_site_that_is_not_listed_gets_no_answer(line: Line, page: Page) -> None:
    token, survey_id = await invited(line)
    async with opened_shop() as other:
        other.show(tag(line, token))
        await page.goto(other.address)
        await page.until("document.readyState === 'complete'")
        await asyncio.sleep(0.5)
    assert any("CORS" in problem for problem in page.problems)
    assert (await line.story(survey_id))["turns"] == []


@pytest.mark.parametrize("language", ["en", "pl", "nb", "fr"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_question_fits_every_width_and_can_be_read(
    line: Line, shop: Shop, page: Page, widget: Widget, language: str, dark: bool
) -> None:
    async def check() -> None:
        for width in (280, 320, 360, 1280):
            await page.look(width, 800, dark=dark, still=True)
            assert await page.evaluate(CONTRAST) == []
            small = "each.offsetHeight < 44 && each.outerHTML"
            assert [each for each in await widget.all("button, textarea", small) if each] == []
            assert await page.evaluate(
                f"{widget.at('.card')}.scrollWidth <= {widget.at('.card')}.clientWidth"
            )
            assert await page.evaluate("document.documentElement.scrollWidth") <= width

    await page.look(360, 800, dark=dark)
    await shown(line, shop, page, language=language, position="inline")
    tops = await widget.all(".scale button", "[each.getBoundingClientRect().top, each.offsetWidth >= 28]")
    assert len({top for top, _ in tops}) == 1
    assert all(wide for _, wide in tops)
    await check()
    for press, then in (
        (".scale button", "textarea"),
        (".row .plain", ".choices"),
        (".choices button", "strong"),
    ):
        await widget.click(press)
        await widget.until(then)
        await check()
    assert await page.evaluate(f"{widget.at('.card')}.lang.slice(0, 2)") == language


async def test_a_screen_reader_is_told_what_everything_is(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    await shown(line, shop, page)
    tree: list[dict[str, Any]] = (await page.send("Accessibility.getFullAXTree"))["nodes"]

    def named(role: str) -> list[str]:
        return [
            each["name"]["value"]
            for each in tree
            if each.get("role", {}).get("value") == role and each.get("name")
        ]

    assert "A quick question" in named("region")
    assert "Your score, from 0 to 10" in named("group")
    scores = ["0, Not at all likely", *map(str, range(1, 10)), "10, Extremely likely"]
    assert set(named("button")) == {"Close", "Don't ask me again", *scores}
    await widget.score(1)
    await widget.until("textarea")
    tree = (await page.send("Accessibility.getFullAXTree"))["nodes"]
    assert any("main reason" in name for name in named("textbox"))


@pytest.mark.parametrize(
    "color", ["#fff", "black", "rgb(120 120 120)", "hsl(60 100% 50%)", "#c4533a", "nonsense;}"]
)
async def test_the_sites_colour_is_taken_and_stays_readable(
    line: Line, shop: Shop, page: Page, widget: Widget, color: str
) -> None:
    await shown(line, shop, page, color=color, logo="/logo.svg")
    await widget.score(10)
    await widget.until(".send")
    assert await page.evaluate(CONTRAST) == []
    assert await widget.all("header img", "each.alt") == [""]


async def test_our_own_page_holds_the_widget_under_its_strict_policy(
    line: Line, page: Page, widget: Widget
) -> None:
    token, survey_id = await invited(line, language="nb")
    await page.goto(f"{line.http.base_url}/chat/{token}")
    await widget.until(".scale")
    await widget.score(9)
    await widget.click(".row .plain")
    await widget.says("Takk")
    await stored(line, survey_id, score=9)
    assert page.problems == []
    await page.goto(f"{line.http.base_url}/chat/{uuid4().hex}")
    await page.until(f"{widget.at('.said')}?.innerText.includes('This survey has ended')")


async def test_nothing_moves_for_a_reader_who_wants_no_motion(
    line: Line, shop: Shop, page: Page, widget: Widget
) -> None:
    await page.look(1280, 900, still=True)
    await shown(line, shop, page)
    moving = await widget.all("*", "getComputedStyle(each).transitionDuration")
    assert set(moving) == {"0s"}, json.dumps(moving)
