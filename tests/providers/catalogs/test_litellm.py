"""LiteLLM's price map: per-token dollars, tiers, prefixes and the odd entries of the real file."""

import json
from decimal import Decimal
from typing import Any

import pytest

from providers.catalogs.listed import PriceListBroken
from providers.catalogs.litellm import read_litellm_list

SAMPLE = {"sample_spec": {"litellm_provider": "one of …", "input_cost_per_token": 0.0}}


def read(document: dict[str, Any]) -> Any:
    exact = json.loads(json.dumps(SAMPLE | document), parse_float=Decimal)
    return read_litellm_list(exact, "file:map.json")


def test_every_class_of_unit_is_taken_over() -> None:
    entry = {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
        "cache_creation_input_token_cost": 3e-06,
        "output_cost_per_reasoning_token": 2e-05,
        "input_cost_per_audio_token": 4e-05,
        "output_cost_per_audio_token": 8e-05,
        "output_cost_per_image": 0.04,
        "input_cost_per_request": 0.005,
        "input_cost_per_token_priority": 9e-01,
        "cache_creation_input_token_cost_above_1hr": 9e-01,
    }
    (price,) = read({"gpt-x": entry}).prices
    assert {name: str(amount.normalize()) for name, amount in price.usd.items()} == {
        "input_per_mtok": "2.5",
        "output_per_mtok": "1E+1",
        "cached_input_per_mtok": "1.25",
        "cache_write_per_mtok": "3",
        "reasoning_per_mtok": "2E+1",
        "audio_input_per_mtok": "4E+1",
        "audio_output_per_mtok": "8E+1",
        "per_image": "0.04",
        "per_request": "0.005",
    }
    assert price.tiers == []


@pytest.mark.parametrize(
    ("mode", "entry", "usd"),
    [
        (
            "audio_transcription",
            {"input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001},
            {"per_audio_minute": "0.006"},
        ),
        ("audio_speech", {"input_cost_per_character": 1.5e-05}, {"per_mcharacter": "15"}),
        ("image_generation", {"input_cost_per_image": 0.04}, {"per_image": "0.04"}),
        (
            "rerank",
            {"input_cost_per_query": 0.002, "input_cost_per_token": 0.0},
            {"per_search": "0.002", "input_per_mtok": "0"},
        ),
        ("chat", {"input_cost_per_character": 1e-07, "input_cost_per_image": 0.1, "input_cost_per_second": 0.3}, None),
        (
            "image_generation",
            {"output_cost_per_image_token": 4e-05, "input_cost_per_image": 0.04},
            {"output_per_mtok": "40"},
        ),
    ],
)
def test_units_that_are_no_tokens_by_mode(mode: str, entry: dict[str, float], usd: dict[str, str] | None) -> None:
    found = read({"m": {"litellm_provider": "v", "mode": mode} | entry})
    prices = [{name: f"{amount.normalize():f}" for name, amount in price.usd.items()} for price in found.prices]
    assert prices == ([] if usd is None else [usd])


def test_tiers_by_threshold() -> None:
    entry = {
        "litellm_provider": "gemini",
        "input_cost_per_token": 1e-06,
        "input_cost_per_token_above_128k_tokens": 2e-06,
        "input_cost_per_token_above_200k_tokens": 3e-06,
        "output_cost_per_token_above_200k_tokens": 4e-06,
        "input_cost_per_token_above_200k_tokens_priority": 9e-01,
    }
    (price,) = read({"gemini/gemini-x": entry}).prices
    assert (price.vendor, price.model) == ("google", "gemini-x")
    assert price.tiers == [
        {"above_input_tokens": 128_000, "input_per_mtok": "2"},
        {"above_input_tokens": 200_000, "input_per_mtok": "3", "output_per_mtok": "4"},
    ]


def test_tiers_by_range() -> None:
    steps = [
        {"range": [0, 256000.0], "input_cost_per_token": 5e-08},
        {"range": [256000.0, 1000000.0], "input_cost_per_token": 2.5e-07},
    ]
    entry = {"litellm_provider": "dashscope", "tiered_pricing": steps}
    (price,) = read({"dashscope/qwen-x": entry}).prices
    assert price.usd == {"input_per_mtok": Decimal("0.05")}
    assert [(tier["above_input_tokens"], Decimal(tier["input_per_mtok"])) for tier in price.tiers] == [
        (256_000, Decimal("0.25"))
    ]


@pytest.mark.parametrize(
    ("key", "provider", "pair"),
    [
        ("gpt-4o", "openai", ("openai", "gpt-4o")),
        ("azure/eu/gpt-4o", "azure", ("azure", "eu/gpt-4o")),
        ("vertex_ai/claude-x", "vertex_ai-anthropic_models", ("google", "claude-x")),
        ("anthropic.claude-x", "bedrock_converse", ("aws", "anthropic.claude-x")),
        ("together_ai/meta/llama", "together_ai", ("together", "meta/llama")),
        ("xai/grok-4", "xai", ("x-ai", "grok-4")),
        ("fireworks_ai/nomic", "fireworks_ai-embedding-models", ("fireworks", "nomic")),
        ("scx-ai/m", "scx-ai", ("scx-ai", "m")),
    ],
)
def test_vendors_and_models_are_named_as_in_the_bundled_list(key: str, provider: str, pair: tuple[str, str]) -> None:
    (price,) = read({key: {"litellm_provider": provider, "input_cost_per_token": 0.0}}).prices
    assert (price.vendor, price.model) == pair


def test_a_models_own_api_goes_before_the_cloud_and_the_other_is_noted() -> None:
    found = read(
        {
            "gemini-x": {"litellm_provider": "vertex_ai-language-models", "input_cost_per_token": 2e-06},
            "gemini/gemini-x": {"litellm_provider": "gemini", "input_cost_per_token": 1e-06},
        }
    )
    assert [price.usd["input_per_mtok"] for price in found.prices] == [Decimal(1)]
    assert found.notes == ("gemini-x: left out, another entry gives google/gemini-x another price",)


def test_image_tokens_are_output_and_not_charged_again_by_the_image() -> None:
    entry = {
        "litellm_provider": "gemini",
        "output_cost_per_token": 2.5e-06,
        "output_cost_per_image_token": 3e-05,
        "output_cost_per_image": 0.039,
    }
    (price,) = read({"gemini/pictures": entry}).prices
    assert price.usd == {"output_per_mtok": Decimal(30)}


def test_noise_and_what_has_no_price_is_noted() -> None:
    found = read(
        {
            "a": {"litellm_provider": "v", "input_cost_per_token": 2.9999900000000002e-06},
            "b": {"litellm_provider": "v", "input_cost_per_second": 1},
            "c": {"input_cost_per_token": 1},
            "d": {"litellm_provider": "v", "tiered_pricing": [{"max_results_range": [0, 25]}]},
        }
    )
    assert [price.usd["input_per_mtok"] for price in found.prices] == [Decimal("2.99999")]
    assert [note.partition(": ")[0] for note in found.notes] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (5, "m: a model is an object"),
        ({"litellm_provider": "v", "input_cost_per_token": "1"}, "m: input_cost_per_token: '1' is no number"),
        ({"litellm_provider": "v", "input_cost_per_token": -1}, "m: input_cost_per_token: -1000000 is no price"),
        ({"litellm_provider": "v", "tiered_pricing": [{"range": []}]}, "m: tiered_pricing"),
    ],
)
def test_a_bad_entry_is_refused_with_its_place(entry: Any, complaint: str) -> None:
    with pytest.raises(PriceListBroken, match=complaint):
        read({"m": entry})
