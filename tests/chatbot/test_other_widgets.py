"""Widgets that others wrote, unchanged, in a real browser: rasa-webchat over socket.io and deep-chat over REST.

They are fetched once with ``npm pack``, which runs nothing of theirs, into .cache; they are no part of Zeroten.
"""

import asyncio
import json
import shutil
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.config import Settings
from tests.chatbot.chatting import invited
from tests.chatbot.shop import Shop, opened_shop
from tests.demo.chromium import PROGRAM, Page, browsing
from tests.line import Line, a_line, eventually

CACHE = Path(__file__).parents[2] / ".cache" / "widgets"
NPM = shutil.which("npm")
FILES = {
    "rasa-webchat-1.0.1": "package/lib/index.js",
    "deep-chat-2.4.2": "package/dist/deepChat.bundle.js",
}
PATIENCE_SECONDS = 120
pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here to run the widgets in"),
]


async def fetched(name: str) -> Path:
    """The widget's bundle; skips where it is not here and cannot be fetched."""
    packed = CACHE / f"{name}.tgz"
    if not packed.exists():
        if NPM is None:
            pytest.skip(f"{name} is not in .cache/widgets, and there is no npm to fetch it with")
        CACHE.mkdir(parents=True, exist_ok=True)
        package, _, version = name.rpartition("-")
        npm = await asyncio.create_subprocess_exec(
            NPM, "pack", "--silent", "--ignore-scripts", f"{package}@{version}", cwd=CACHE,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        if await asyncio.wait_for(npm.wait(), PATIENCE_SECONDS) != 0:
            pytest.skip(f"npm could not fetch {name}")
    bundle = CACHE / f"{name}.js"
    if not bundle.exists():
        with tarfile.open(packed) as archive:
            member = archive.extractfile(FILES[name])
            assert member is not None
            bundle.write_bytes(member.read())
    return bundle


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


@pytest_asyncio.fixture(loop_scope="module")
async def page() -> AsyncIterator[Page]:
    async with browsing() as opened:
        await opened.look(1280, 900)
        yield opened


async def completed(line: Line, survey_id: str, score: int, comment: str) -> None:
    """Wait until the survey ended with this response."""

    async def is_so() -> bool:
        story = await line.story(survey_id)
        response = story["response"] or {}
        return (story["status"], response.get("score"), response.get("comment")) == (
            "completed",
            score,
            comment,
        )

    await eventually(is_so)


async def visit(page: Page, shop: Shop) -> None:
    """Load the shop's page, all of it."""
    await page.goto(shop.address)
    await page.until(
        f"location.href.startsWith({json.dumps(shop.address)}) && document.readyState === 'complete'"
    )


async def click_on(page: Page, selector: str, words: str, within: str = "document") -> None:
    """Click the last of what the selector finds that says these words."""
    all_of_them = f"[...{within}.querySelectorAll({json.dumps(selector)})]"
    found = f"{all_of_them}.filter((each) => each.innerText.trim() === {json.dumps(words)})"
    await page.until(f"{found}.length")
    await page.evaluate(f"{found}.at(-1).click()")


async def test_rasa_webchat_over_socket_io(line: Line, shop: Shop, page: Page) -> None:
    shop.files["webchat.js"] = await fetched("rasa-webchat-1.0.1")
    token, survey_id = await invited(line)
    options = {
        "initPayload": "/start",
        "customData": {"token": token},
        "socketUrl": str(line.http.base_url),
        "socketPath": "/socket.io/",
        "embedded": True,
        "customMessageDelay": None,
        "params": {"storage": "session"},
    }
    shop.show(
        "<div id=chat></div><script src=/webchat.js></script>",
        f"<script>const options = {json.dumps(options)}; options.customMessageDelay = () => 10;"
        "window.WebChat.default(options, document.getElementById('chat'));</script>",
    )
    await visit(page, shop)
    await page.until(
        "document.body.innerText.includes('How likely is it that you would recommend Northwind')"
    )
    await click_on(page, ".rw-reply", "9")
    await page.until("document.body.innerText.includes('main reason')")
    await page.evaluate("window.before = true")
    await page.send("Page.reload")
    await page.until("!window.before && document.readyState === 'complete'")
    await page.until("document.querySelector('.rw-new-message')")
    await page.until("document.body.innerText.includes('main reason')")
    await page.click(".rw-new-message")
    await page.write("<b>friendly</b>")
    await page.press("Enter")
    await page.until("document.body.innerText.includes('It means a lot to us')")
    await completed(line, survey_id, 9, "<b>friendly</b>")


async def test_deep_chat_over_rest(line: Line, shop: Shop, page: Page) -> None:
    shop.files["deepchat.js"] = await fetched("deep-chat-2.4.2")
    token, survey_id = await invited(line)
    shop.show(
        "<deep-chat id=chat></deep-chat><script type=module src=/deepchat.js></script>",
        f"<script type=module>const chat = document.getElementById('chat');"
        f"const token = {json.dumps(token)};"
        f"chat.connect = {{url: '{line.http.base_url}/webhooks/rest/webhook', method: 'POST'}};"
        """
        const escaped = (text) => Object.assign(document.createElement('i'), {textContent: text}).innerHTML;
        chat.requestInterceptor = (request) => {
          request.body = {sender: token, message: request.body.messages.at(-1).text};
          return request;
        };
        chat.responseInterceptor = (replies) => replies.map((reply) => reply.buttons
          ? {html: escaped(reply.text) + reply.buttons.map((each) =>
              `<button class="deep-chat-suggestion-button">${escaped(each.title)}</button>`).join('')}
          : {text: reply.text});
        </script>""",
    )
    await visit(page, shop)
    inside = "document.querySelector('deep-chat').shadowRoot"
    await page.until(f"{inside}?.querySelector('#text-input')")
    said = f"({inside}.querySelector('#messages')?.innerText ?? '')"
    for words, then in (
        ("hello", "Northwind"),
        ("8", "main reason"),
        ("quick & kind", "helps us get better"),
    ):
        if words == "8":
            await click_on(page, ".deep-chat-suggestion-button", "8", inside)
        else:
            await page.evaluate(
                f"document.querySelector('deep-chat').submitUserMessage({{text: {json.dumps(words)}}})"
            )
        await page.until(f"{said}.includes({json.dumps(then)})")
    await completed(line, survey_id, 8, "quick & kind")
