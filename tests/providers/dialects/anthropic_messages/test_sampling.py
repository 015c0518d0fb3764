"""What can't be said of sampling is named, and what says nothing isn't."""

from typing import Any

import pytest

from providers.dialects.anthropic_messages.sampling import write_sampling
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Request

OLD = Upstream("m", Capabilities())
NEW = Upstream("m", Capabilities(), api_version="2026-10-21")
FIXED = Upstream("m", Capabilities(features=frozenset(Feature) - {Feature.SAMPLING}))


@pytest.mark.parametrize(
    ("asked", "upstream", "thinks", "written", "lost"),
    [
        ({"temperature": 0.5, "top_k": 3}, OLD, False, {"temperature": 0.5, "top_k": 3}, ()),
        ({"temperature": 1.5, "top_p": 1}, OLD, False, {"temperature": 1}, ("temperature",)),
        ({"temperature": 0.5, "top_p": 0.5, "top_k": 3}, OLD, True, {}, ("temperature", "top_p", "top_k")),
        ({"temperature": 1, "top_p": 0.97}, OLD, True, {"temperature": 1, "top_p": 0.97}, ()),
        ({"temperature": 1, "top_p": 0.5, "top_k": 1}, NEW, False, {}, ("top_p", "top_k")),
        ({"temperature": 0}, FIXED, False, {}, ("temperature",)),
        ({"n": 1, "frequency_penalty": 0, "logprobs": False}, OLD, False, {}, ()),
        (
            {"n": 2, "presence_penalty": 1, "seed": 0, "logprobs": True},
            OLD,
            False,
            {},
            ("presence_penalty", "seed", "n", "logprobs"),
        ),
    ],
)
def test_fields(asked: dict[str, Any], upstream: Upstream, thinks: bool, written: Any, lost: tuple[str, ...]) -> None:
    request = Request(model="m", messages=(), dialect=Dialect.OPENAI, **asked)
    assert write_sampling(request, upstream, thinks=thinks) == (written, lost)


def test_own_clients_keep_what_they_said() -> None:
    request = Request(model="m", messages=(), dialect=Dialect.ANTHROPIC, top_p=1)
    assert write_sampling(request, OLD, thinks=False) == ({"top_p": 1}, ())
