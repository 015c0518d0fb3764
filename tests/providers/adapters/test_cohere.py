"""Cohere's two roots."""

import pytest

from providers.adapters.cohere import CohereAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to


@pytest.mark.parametrize(
    ("base_url", "dialect", "operation", "url"),
    [
        ("", Dialect.OPENAI, Operation.CHAT, "https://api.cohere.ai/compatibility/v1/chat/completions"),
        ("", Dialect.OPENAI, Operation.EMBEDDING, "https://api.cohere.ai/compatibility/v1/embeddings"),
        ("", Dialect.COHERE, Operation.RERANK, "https://api.cohere.ai/v2/rerank"),
        ("https://api.cohere.com/v2", Dialect.COHERE, Operation.RERANK, "https://api.cohere.com/v2/rerank"),
        ("http://127.0.0.1:9/p", Dialect.COHERE, Operation.RERANK, "http://127.0.0.1:9/p/v2/rerank"),
    ],
)
async def test_paths(base_url: str, dialect: Dialect, operation: Operation, url: str) -> None:
    out = Outgoing()
    await CohereAdapter(out).send(asking(to("cohere", base_url), "m", dialect, operation=operation))
    assert out.urls == [url]
    assert out.headers[b"authorization"] == b"Bearer secret"
