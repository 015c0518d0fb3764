"""The newcomer's text, once."""

import io

from gateway_project.configuration.embedded import Seeded
from gateway_project.welcome import write_welcome


def written(seeded: Seeded) -> str:
    output = io.StringIO()
    write_welcome(output, seeded, base_url="http://127.0.0.1:9")  # type: ignore[arg-type]
    return output.getvalue()


def test_the_first_start_says_all_a_newcomer_needs() -> None:
    text = written(Seeded(admin_password="hunter22", demo_key="sk-gw-demo"))
    for fact in (
        "http://127.0.0.1:9/v1",
        "sk-gw-demo",
        "admin",
        "hunter22",
        "/playground",
        "curl ",
        '{"model": "mock"',
    ):
        assert fact in text


def test_an_admin_who_was_there_keeps_the_password() -> None:
    assert "(unchanged)" in written(Seeded(demo_key="sk-gw-demo"))


def test_later_starts_say_nothing() -> None:
    assert written(Seeded()) == ""
