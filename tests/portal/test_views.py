import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

OWN_ATTRIBUTES = re.compile(r'(?:src|href)="([^"]+)"')


@pytest.fixture
def page(client: Client) -> str:
    return client.get("/playground").content.decode()


def test_playground_has_a_strict_content_policy(client: Client) -> None:
    response = client.get("/playground", headers={"host": "gateway.example:8000"})
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert response.status_code == 200
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://gateway.example:8000 wss://gateway.example:8000"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in response["Content-Security-Policy"]


def test_playground_keeps_nothing_about_its_visitor(client: Client) -> None:
    response = client.get("/playground")
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert not response.cookies


def test_everything_on_the_page_is_the_gateway_s_own(page: str) -> None:
    addresses = [address for address in OWN_ATTRIBUTES.findall(page) if not address.startswith("#")]
    assert len(addresses) >= 6
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)
    for address in addresses:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address


def test_page_has_no_inline_script_or_style(page: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]


def test_every_field_has_a_label(page: str) -> None:
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', page)) | {"model"}
    assert fields == {"key", "message", "model", "system", "max-tokens", "temperature"}
    assert fields <= set(re.findall(r'<label[^>]* for="([^"]+)"', page))


def test_only_reading_is_served(client: Client) -> None:
    assert client.head("/playground").status_code == 200
    assert client.post("/playground").status_code == 405
