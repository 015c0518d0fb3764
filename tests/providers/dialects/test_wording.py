from providers.dialects.canonical import Dialect
from providers.dialects.wording import spell


def test_a_field_is_named_as_its_client_names_it() -> None:
    assert spell("reasoning", Dialect.OPENAI) == "reasoning_effort"
    assert spell("stop", Dialect.ANTHROPIC) == "stop_sequences"
    assert spell("n", Dialect.GEMINI) == "generationConfig.candidateCount"
    assert spell("seed", Dialect.OPENAI) == "seed"


def test_who_asks_has_another_name_at_another_vendor() -> None:
    assert spell("user", Dialect.ANTHROPIC) == "metadata.user_id"
