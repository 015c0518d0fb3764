"""What a row can be asked."""

from providers.dialects.canonical import Dialect, Operation
from providers.preset import OPENAI_BASICS, RESPONSES_ONLY, Preset, speaking_openai

CHAT = Operation.CHAT


def test_patterns_are_asked_in_their_order() -> None:
    preset = Preset("p", speaks_by_model=(("a-*", RESPONSES_ONLY), ("a*", {CHAT: (Dialect.GEMINI,)})))
    found = {model: preset.dialect_for(CHAT, model, Dialect.TITAN) for model in ("a-1", "ab", "b")}
    assert found == {"a-1": Dialect.RESPONSES, "ab": Dialect.GEMINI, "b": Dialect.OPENAI}
    assert preset.speaks_of("b") is OPENAI_BASICS


def test_models_are_remembered_without_end_of_names_being_a_danger() -> None:
    preset = Preset("p", speaks_by_model=(("a*", RESPONSES_ONLY),))
    for number in range(10_000):
        assert preset.speaks_of(f"b{number}") is OPENAI_BASICS
    assert len(preset._known) <= 4096
    assert preset.speaks_of("a") is preset.speaks_of("a") is RESPONSES_ONLY


def test_an_operation_without_dialect_is_not_to_be_had() -> None:
    assert Preset("p").dialect_for(Operation.IMAGE, "m", Dialect.OPENAI) is None
    assert Preset("p", speaks={CHAT: ()}).dialect_for(CHAT, "m", Dialect.OPENAI) is None


def test_ranking_has_a_dialect_of_its_own() -> None:
    speaks = speaking_openai(Operation.IMAGE, Operation.RERANK)
    assert (speaks[Operation.IMAGE], speaks[Operation.RERANK]) == ((Dialect.OPENAI,), (Dialect.COHERE,))
    assert speaks[CHAT] == OPENAI_BASICS[CHAT]


def test_who_needs_an_address() -> None:
    assert Preset("p").needs_address
    assert not Preset("p", base_url="https://up.example/v1").needs_address
    assert not Preset("p", derives_address=True).needs_address
    assert not Preset("p", adapter="mock").needs_address


def test_a_version_comes_from_the_option_that_the_row_names() -> None:
    preset = Preset("p", version_option="v", usual_version="1")
    assert [preset.body_version(options) for options in ({}, {"v": ""}, {"v": "2"})] == ["1", "1", "2"]


def test_a_cap_of_plain_completions_is_the_older_one() -> None:
    preset = Preset("p", cap_fields=("max_completion_tokens",))
    assert preset.cap_fields_of(CHAT) == ("max_completion_tokens",)
    assert preset.cap_fields_of(Operation.COMPLETION) == ("max_tokens",)
