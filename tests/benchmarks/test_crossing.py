from benchmarks.crossing import CROSSINGS, doors
from benchmarks.unary import Door
from providers.dialects.canonical import Dialect, Operation
from providers.presets import preset_of

PASSING = Door(1, "/v1/chat/completions", "/v1/chat/completions", "bench-model", {"authorization": "Bearer sk"})


def test_each_provider_speaks_the_dialect_it_stands_for() -> None:
    for crossing in CROSSINGS:
        preset = preset_of(crossing.kind)
        assert preset.dialect_for(Operation.CHAT, crossing.model, Dialect.OPENAI) is crossing.dialect


def test_a_candidate_has_a_door_for_each_and_the_passing_one_first() -> None:
    ways = doors(PASSING)
    assert list(ways) == [Dialect.OPENAI, *(crossing.dialect for crossing in CROSSINGS)]
    assert len({door.model for door in ways.values()}) == len(ways)
    assert ways[Dialect.OPENAI] is PASSING


def test_both_gateways_are_told_of_the_same_route() -> None:
    for crossing in CROSSINGS:
        assert crossing.gateway_route()["name"] == crossing.litellm_model(1)["model_name"] == crossing.route
        assert crossing.gateway_provider(8123)["base_url"] == "http://127.0.0.1:8123"
