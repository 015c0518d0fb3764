"""What a broken exchange means, without telling where the upstream is."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_fields

from kernel.errors import UpstreamBroken, UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from providers.adapters import http
from providers.adapters.base import translate
from providers.adapters.http.errors import StaleConnection
from tests.builders import connection
from tests.contracts.adapters import asking

MEANINGS: dict[type[http.UpstreamIOError], tuple[type[UpstreamFailed], int, str]] = {
    http.ConnectFailed: (UpstreamUnreachable, 502, "upstream_unreachable"),
    http.ConnectTimeout: (UpstreamUnreachable, 502, "upstream_unreachable"),
    http.FirstByteTimeout: (UpstreamTimeout, 504, "upstream_timeout"),
    http.IdleTimeout: (UpstreamTimeout, 504, "upstream_timeout"),
    http.TotalTimeout: (UpstreamTimeout, 504, "upstream_timeout"),
    http.BrokenResponse: (UpstreamBroken, 502, "upstream_cut"),
    StaleConnection: (UpstreamBroken, 502, "upstream_cut"),
    http.BodyTooLarge: (UpstreamBroken, 502, "upstream_too_large"),
}


@pytest.mark.parametrize("kind", MEANINGS)
def test_each_failure_has_a_meaning_and_keeps_the_host_to_itself(kind: type[http.UpstreamIOError]) -> None:
    meaning = translate(kind("10.1.2.3:443 said no", sent=True), provider="acme")
    assert (type(meaning), meaning.status, meaning.code) == MEANINGS[kind]
    assert meaning.retryable
    assert "acme" in meaning.message
    assert "10.1.2.3" not in meaning.message


def test_the_list_is_all_of_them() -> None:
    def tree(kind: type[http.UpstreamIOError]) -> set[type[http.UpstreamIOError]]:
        return {kind}.union(*(tree(child) for child in kind.__subclasses__()))

    assert tree(http.UpstreamIOError) - {http.UpstreamIOError} == MEANINGS.keys()


@pytest.mark.parametrize(("has_address", "said"), [(False, True), (True, False)])
def test_a_server_that_is_not_there_raises_doubt_about_the_region_it_was_sought_in(
    has_address: bool, said: bool
) -> None:
    there = replace(connection("acme"), has_address=has_address)
    exchange = replace_fields(asking(there), options={"region": "eu-west-99"})
    meaning = translate(http.ConnectFailed("no such host", sent=False), provider="acme", region=exchange.region)
    assert ("'eu-west-99'" in meaning.message) is said
