"""Hugging Face's paths: the router, feature extraction, and a server of one's own."""

from providers.adapters.huggingface import HuggingFaceAdapter
from providers.dialects.canonical import Dialect, Operation
from tests.providers.adapters.outgoing import Outgoing, asking, to


async def sent(dialect: Dialect, operation: Operation, base_url: str = "") -> str:
    out = Outgoing()
    exchange = asking(to("huggingface", base_url), "BAAI/bge-small", dialect, operation=operation)
    await HuggingFaceAdapter(out).send(exchange)
    assert out.headers[b"authorization"] == b"Bearer secret"
    return out.urls[0]


async def test_chat_goes_to_the_router() -> None:
    found = await sent(Dialect.OPENAI, Operation.CHAT)
    assert found == "https://router.huggingface.co/v1/chat/completions"


async def test_vectors_come_from_feature_extraction() -> None:
    found = await sent(Dialect.FEATURES, Operation.EMBEDDING)
    root = "https://router.huggingface.co/hf-inference/models"
    assert found == f"{root}/BAAI/bge-small/pipeline/feature-extraction"


async def test_vectors_of_a_server_of_ones_own() -> None:
    found = await sent(Dialect.FEATURES, Operation.EMBEDDING, "http://127.0.0.1:9/v1")
    assert found == "http://127.0.0.1:9/embed"
