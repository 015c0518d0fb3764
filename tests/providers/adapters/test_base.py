"""What a broken exchange means, without telling where the upstream is."""

import pytest

from kernel.errors import UpstreamBroken, UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from providers.adapters import http
from providers.adapters.base import translate
from providers.adapters.http.errors import StaleConnection

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
