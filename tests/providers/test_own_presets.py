"""Which dialect is spoken where, model by model."""

import pytest

from providers.dialects.canonical import Dialect, Operation
from providers.own_presets import OWN_ROWS
from providers.presets import PRESETS, preset_of


def test_every_row_is_in_the_table() -> None:
    assert all(PRESETS[row.name] is row for row in OWN_ROWS)


def preferred(kind: str, model: str, operation: Operation = Operation.CHAT) -> Dialect | None:
    return preset_of(kind).dialect_for(operation, model, Dialect.FEATURES)


def test_the_dialect_asked_for_is_spoken_where_it_is_known() -> None:
    openai = preset_of("openai")
    assert openai.dialect_for(Operation.CHAT, "gpt-x", Dialect.RESPONSES) is Dialect.RESPONSES
    assert openai.dialect_for(Operation.CHAT, "gpt-x", Dialect.OPENAI) is Dialect.OPENAI
    assert openai.dialect_for(Operation.CHAT, "gpt-x", Dialect.ANTHROPIC) is Dialect.OPENAI
    assert preset_of("groq").dialect_for(Operation.CHAT, "x", Dialect.RESPONSES) is Dialect.OPENAI


def test_what_can_not_be_done_somewhere_has_no_dialect() -> None:
    assert preferred("anthropic", "claude-x", Operation.EMBEDDING) is None
    assert preferred("vertex", "claude-x", Operation.EMBEDDING) is None
    assert preferred("vertex", "text-embedding-005", Operation.EMBEDDING) is None
    assert preferred("jina", "x") is None
    assert preferred("mistral", "x", Operation.IMAGE) is None
    assert preferred("bedrock", "amazon.titan-embed-text-v2:0") is None


@pytest.mark.parametrize(
    ("kind", "model", "operation", "dialect"),
    [
        ("vertex", "claude-opus-5-5", Operation.CHAT, Dialect.ANTHROPIC),
        ("vertex", "gemini-3.7-flash", Operation.CHAT, Dialect.GEMINI),
        ("vertex", "gemini-embedding-001", Operation.EMBEDDING, Dialect.GEMINI),
        ("bedrock", "us.anthropic.claude-x", Operation.CHAT, Dialect.CONVERSE),
        ("bedrock", "amazon.titan-embed-text-v2:0", Operation.EMBEDDING, Dialect.TITAN),
        ("bedrock", "amazon.nova-canvas-v1:0", Operation.IMAGE, Dialect.TITAN),
        ("cohere", "rerank-v3.5", Operation.RERANK, Dialect.COHERE),
        ("jina", "jina-reranker-v3", Operation.RERANK, Dialect.COHERE),
        ("huggingface", "BAAI/bge", Operation.EMBEDDING, Dialect.FEATURES),
        ("gemini", "gemini-3.7-flash", Operation.TOKEN_COUNT, Dialect.GEMINI),
        ("openai", "gpt-5.1-codex", Operation.CHAT, Dialect.RESPONSES),
        ("openai", "o3-pro", Operation.CHAT, Dialect.RESPONSES),
        ("openai", "gpt-4o", Operation.CHAT, Dialect.OPENAI),
    ],
)
def test_models_have_dialects_of_their_own(kind: str, model: str, operation: Operation, dialect: Dialect) -> None:
    assert preferred(kind, model, operation) is dialect


def test_bodies_are_written_for_a_version() -> None:
    assert preset_of("anthropic").body_version({}) == ""
    assert preset_of("anthropic").body_version({"api_version": "2026-10-21"}) == "2026-10-21"
    assert preset_of("vertex").body_version({"api_version": "v1beta1"}) == "vertex-2023-10-16"
    assert preset_of("vertex").body_version({"anthropic_version": "vertex-x"}) == "vertex-x"
    assert preset_of("openai").body_version({"api_version": "x"}) == ""
