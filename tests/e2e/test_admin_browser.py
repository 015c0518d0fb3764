"""The admin in a real browser: what an operator does on the first day, each step against the running gateway."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.services.declared import ADMIN, ADMIN_PASSWORD, CREDENTIAL
from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream
from tests.services.waiting import eventually

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
SECRET = re.compile(r"sk-gw-[\w-]{43}")


@pytest.fixture(scope="module")
def own(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose configuration these tests may change."""
    with Gateway(tmp_path_factory.mktemp("admin"), config=config) as running:
        yield running


@pytest.fixture
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(chromium_path), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, own: Gateway) -> Iterator[Page]:
    """The dashboard, signed in. A broken script or a refused file fails the test."""
    complaints: list[str] = []
    opened = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme="dark")
    opened.set_default_timeout(15_000)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    opened.on("request", lambda request: _stays_here(request.url, own.base_url, complaints))
    opened.goto(f"{own.base_url}/admin/")
    opened.get_by_label("Username").fill(ADMIN)
    opened.get_by_label("Password").fill(ADMIN_PASSWORD)
    opened.get_by_role("button", name="Log in").click()
    expect(opened).to_have_title(re.compile("Dashboard"))
    yield opened
    assert complaints == []


def _stays_here(url: str, home: str, complaints: list[str]) -> None:
    if not url.startswith((home, "data:", "blob:")):
        complaints.append(f"a page asks elsewhere: {url}")


def open_page(page: Page, name: str) -> None:
    """Go somewhere by the menu."""
    page.locator("#nav-sidebar").get_by_role("link", name=name).click()


def add(page: Page, name: str) -> None:
    """Begin a new row of what the menu calls by that name."""
    open_page(page, name)
    page.locator("a[href*='/add/']").first.click()


def save(page: Page, button: str = "Save") -> None:
    page.get_by_role("button", name=button, exact=True).click()


def choose(field: Locator, words: str) -> None:
    """Find an entry of an autocompleting field by typing."""
    field.locator(".select2-selection").click()
    page = field.page
    page.locator(".select2-search__field").fill(words)
    page.locator(".select2-results__option", has_text=words).first.click()


def ask(gateway: Gateway, secret: str, model: str) -> int:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {secret}"}
    return gateway.http.post("/v1/chat/completions", json=body, headers=headers).status_code


def test_a_key_from_its_issue_to_its_revocation(page: Page, own: Gateway) -> None:
    add(page, "Tenants")
    page.locator("#id_name").press_sequentially("Browser & Co")
    expect(page.locator("#id_slug")).to_have_value("browser-co")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()

    add(page, "Keys")
    choose(page.locator(".field-tenant"), "Browser & Co")
    page.locator("#id_name").fill("first")
    save(page)
    secret = page.get_by_label("Secret key").input_value()
    assert SECRET.fullmatch(secret)
    assert ask(own, secret, "mock-small") == 200

    page.get_by_role("link", name="Open the key").click()
    expect(page.get_by_text("active", exact=True)).to_be_visible()
    assert secret not in page.content()

    open_page(page, "Keys")
    page.get_by_role("link", name="first", exact=True).click()
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("Overlap in hours").fill("1")
    save(page, "Rotate")
    successor = page.get_by_label("Secret key").input_value()
    assert successor != secret
    assert [ask(own, each, "mock-small") for each in (secret, successor)] == [200, 200]

    page.get_by_role("link", name="Open the key").click()
    page.get_by_role("link", name="Revoke").click()
    save(page, "Revoke")
    expect(page.get_by_text("Revoked 1 key.")).to_be_visible()
    eventually(lambda: ask(own, successor, "mock-small") == 401)
    assert ask(own, secret, "mock-small") == 200


def test_a_provider_and_its_connection(page: Page, own: Gateway, remote: MockUpstream) -> None:
    add(page, "Providers")
    page.locator("#id_slug").fill("mine")
    page.locator("#id_kind").select_option(label="Any OpenAI-compatible server")
    page.locator("#id_base_url").fill(f"{remote.origin}/v1")
    page.locator("#id_credential").fill("sk-not-the-one")
    save(page, "Save and continue editing")
    result = page.locator("#connection-result")
    page.get_by_role("button", name="Test connection").click()
    expect(result).to_contain_text("The provider refused the credential (401).")

    assert "sk-not-the-one" not in page.content()
    page.locator("#id_credential").fill(CREDENTIAL)
    save(page, "Save and continue editing")
    page.get_by_role("button", name="Test connection").click()
    expect(result).to_contain_text(re.compile(r"Connected: \d+ models? in \d+ ms\."))
    assert CREDENTIAL not in page.content()


def test_a_route_a_call_and_what_became_of_it(page: Page, own: Gateway) -> None:
    add(page, "Routes")
    page.locator("#id_name").fill("by-hand")
    page.locator("#id_aliases").fill("by-hand-too\n")
    for number, provider in enumerate(("mock", "remote")):
        if number:
            page.get_by_role("link", name="Add another Target").click()
        choose(page.locator(f"td:has(#id_targets-{number}-provider)"), provider)
        page.locator(f"#id_targets-{number}-model").fill("mock-small")
        page.locator(f"#id_targets-{number}-order").fill(str(number))
    save(page)
    expect(page.get_by_text("mock/mock-small, then remote/mock-small")).to_be_visible()

    eventually(lambda: ask(own, own.keys["main"], "by-hand-too") == 200)

    open_page(page, "Attempts")
    eventually(lambda: page.reload() and page.get_by_text("by-hand", exact=True).count())
    expect(page.locator("[data-total=Cost]")).to_contain_text("$0.0")
    page.locator("tr", has_text="by-hand").get_by_role("link").first.click()
    expect(page.get_by_text("Every attempt of this request")).to_be_visible()
    expect(page.get_by_text("$0.15 a million")).to_be_visible()

    open_page(page, "Dashboard")
    expect(page.locator("#tops")).to_contain_text("by-hand")
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_text("The last 7 days")).to_be_visible()
    drawn = "[...document.querySelectorAll('canvas.chart')].filter(c => Chart.getChart(c)).length"
    eventually(lambda: page.evaluate(drawn) == 3)


def test_filters_of_usage_narrow_the_list(page: Page, own: Gateway) -> None:
    own.chat(model="mock-small", request_id="req-filtered")
    open_page(page, "Attempts")
    eventually(lambda: page.reload() and page.get_by_text("req-filtered").count())
    page.get_by_text("Filters", exact=False).first.click()
    page.locator("#changelist-filter [name=route]").fill("nobody")
    page.get_by_role("button", name="Apply Filters").click()
    expect(page.get_by_text("0 usage records")).to_be_visible()
    page.goto(f"{own.base_url}/admin/usage/usagerecord/?q=req-filt")
    expect(page.locator("#result_list")).to_contain_text("req-filtered")
