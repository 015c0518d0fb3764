"""The playground in a real browser: what a newcomer does with it, from pasting the key to the bill."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ENDLESS = "[[mock tokens=2000 pace_ms=50]]"


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained about."""
    return []


@pytest.fixture
def page(gateway: Gateway, chromium_path: Path, complaints: list[str]) -> Iterator[Page]:
    """The playground, before a key was given. A broken content policy or script fails the test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium_path), args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": 1100, "height": 760})
        opened.set_default_timeout(15_000)
        opened.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(f"{gateway.base_url}/playground")
        yield opened
        browser.close()
    assert complaints == []


@pytest.fixture
def chat(page: Page, gateway: Gateway) -> Page:
    """The playground, connected."""
    connect(page, gateway.keys["main"])
    return page


def connect(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Connect").click()
    page.get_by_label("Model", exact=True).select_option("mock-small")


def ask(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_label("Message", exact=True).press("Enter")


def test_answer_streams_in_and_its_cost_is_what_the_ledger_says(chat: Page, gateway: Gateway) -> None:
    ask(chat, "Tell me about gateways. [[mock tokens=12]]")

    answer = chat.locator(".answer").last
    expect(answer).to_have_attribute("aria-busy", "false")
    expect(answer.locator(".bubble")).to_contain_text("the quick brown fox")
    request_id = answer.locator(".id").inner_text()
    cost = answer.locator(".cost").inner_text()
    assert cost == f"${gateway.usage(request_id)['cost_usd']}"
    expect(answer.locator(".target")).to_have_text("mock/mock-small")
    expect(answer.locator(".tokens")).to_contain_text("12 out")
    expect(chat.get_by_label("Cost of this conversation")).to_have_text(cost)


def test_stop_ends_the_answer_and_tells_what_it_cost(chat: Page, gateway: Gateway) -> None:
    ask(chat, ENDLESS)
    answer = chat.locator(".answer").last
    expect(answer.locator(".bubble")).to_contain_text("quick")
    expect(answer.locator(".cost")).to_contain_text("≈ $0.0")

    chat.get_by_role("button", name="Stop").click()

    expect(answer.locator(".note")).to_contain_text("Stopped")
    expect(answer.locator(".cost")).to_have_text(re.compile(r"^\$0\.\d+$"))
    attempt = gateway.usage(answer.locator(".id").inner_text())["attempts"][0]
    assert attempt["ending"] == "cancelled"
    ask(chat, "Go on. [[mock tokens=3]]")
    expect(chat.locator(".answer").last).to_have_attribute("aria-busy", "false")


def test_escape_stops_too(chat: Page) -> None:
    ask(chat, ENDLESS)
    expect(chat.locator(".answer .bubble").last).to_contain_text("quick")
    chat.keyboard.press("Escape")
    expect(chat.locator(".answer .note").last).to_contain_text("Stopped")


def test_shift_enter_begins_a_new_line(chat: Page) -> None:
    box = chat.get_by_label("Message", exact=True)
    box.press_sequentially("one")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    expect(box).to_have_value("one\ntwo")
    expect(chat.locator(".question")).to_have_count(0)


def test_conversation_goes_on_and_begins_anew(chat: Page) -> None:
    ask(chat, "First. [[mock tokens=3]]")
    expect(chat.locator(".answer").last).to_have_attribute("aria-busy", "false")
    ask(chat, "Second. [[mock tokens=3]]")
    expect(chat.locator(".answer")).to_have_count(2)
    expect(chat.locator(".answer").last).to_have_attribute("aria-busy", "false")

    chat.get_by_role("button", name="New conversation").click()

    expect(chat.locator(".answer")).to_have_count(0)
    expect(chat.get_by_label("Cost of this conversation")).to_have_text("$0")


def test_failure_is_told_and_the_question_given_back(chat: Page) -> None:
    ask(chat, "[[mock status=400]]")
    expect(chat.get_by_role("alert")).to_contain_text("the mock was told to answer 400")
    expect(chat.locator(".answer .note")).to_contain_text("Failed")
    expect(chat.get_by_label("Message", exact=True)).to_have_value("[[mock status=400]]")


def test_markup_in_texts_stays_text(chat: Page) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> [[mock tokens=1]]"
    ask(chat, hostile)
    expect(chat.locator(".answer").last).to_have_attribute("aria-busy", "false")
    expect(chat.locator(".question .bubble")).to_have_text(hostile)
    assert chat.locator("#log img, #log script").count() == 0
    assert chat.title() == "Playground · LLM Gateway"


def test_answers_are_rendered_without_markup_of_their_own(chat: Page) -> None:
    made = chat.evaluate(
        """async () => {
            const { render } = await import("/static/portal/markup.js");
            const box = document.createElement("div");
            box.append(...render("a **b** `c` <i>d</i>\\n```py\\n<u>e</u>\\n```\\nf"));
            return box.innerHTML;
        }"""
    )
    assert made == (
        "a <strong>b</strong> <code>c</code> &lt;i&gt;d&lt;/i&gt;\n<pre><code>&lt;u&gt;e&lt;/u&gt;</code></pre>\nf"
    )


def test_wrong_key_is_refused_in_words_and_not_kept(page: Page) -> None:
    page.get_by_label("API key").fill("sk-gw-nobody")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert")).to_contain_text("Incorrect API key provided.")
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_key_is_kept_in_this_tab_only(chat: Page) -> None:
    expect(chat.get_by_role("button", name="Send")).to_be_visible()
    assert chat.evaluate("localStorage.length") == 0
    assert "gateway-key" in chat.evaluate("Object.keys(sessionStorage)")
    assert chat.context.cookies() == []
    chat.reload()
    expect(chat.get_by_role("button", name="Send")).to_be_visible()
    browser = chat.context.browser
    assert browser is not None
    other = browser.new_page()
    other.goto(chat.url)
    expect(other.get_by_label("API key")).to_be_visible()


def test_it_fits_a_telephone(chat: Page) -> None:
    chat.set_viewport_size({"width": 360, "height": 640})
    ask(chat, "Hello. [[mock tokens=40]]")
    expect(chat.locator(".answer").last).to_have_attribute("aria-busy", "false")
    assert chat.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(chat.get_by_role("button", name="Send")).to_be_in_viewport()
