"""Who counts the tokens of a request that is not made."""

from collections.abc import Callable

import msgspec
import pytest

from gateway.endpoints import anthropic
from gateway.plane import DataPlane
from tests.builders import caller, connection, incoming, key_directory, route, snapshot, target

MakePlane = Callable[..., DataPlane]


@pytest.mark.parametrize("model", ["gpt-4o-mini", "o3-pro"])
async def test_a_provider_that_counts_in_words_nobody_translates_is_not_asked(
    make_plane: MakePlane, model: str
) -> None:
    openai = target("openai", model, connection=connection("openai", "openai"))
    plane = make_plane(found=snapshot(route((openai,))), keys=key_directory(all=caller()))
    body = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})
    reply = await anthropic.count_tokens(plane, incoming(body, secret="all", anthropic_version="2023-06-01"))
    assert reply.status == 200, reply.body
    assert msgspec.json.decode(reply.body)["input_tokens"] > 0
