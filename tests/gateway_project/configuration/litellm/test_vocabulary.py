"""The tables of known keys hold no contradictions."""

from collections import Counter

import pytest

from gateway_project.configuration.litellm.known_models import INFO, PARAMS
from gateway_project.configuration.litellm.known_settings import GENERAL, LITELLM, ROUTER, TOP
from gateway_project.configuration.litellm.vocabulary import is_translated, look_up
from gateway_project.configuration.report import Verdict

TABLES = [
    (("model_list", "litellm_params"), PARAMS),
    (("model_list", "model_info"), INFO),
    (("router_settings",), ROUTER),
    (("litellm_settings",), LITELLM),
    (("general_settings",), GENERAL),
    ((), TOP),
]


@pytest.mark.parametrize(("section", "table"), TABLES, ids=lambda value: ".".join(value) if value else "top")
def test_a_key_has_one_verdict_and_one_reason(section, table) -> None:  # type: ignore[no-untyped-def]
    names = Counter(name for reasons in table.values() for text in reasons.values() for name in text.split())
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if is_translated((*section, name))] == []


def test_what_stands_below_a_known_key_shares_its_verdict() -> None:
    assert look_up(("router_settings", "retry_policy", "TimeoutErrorRetries")) == look_up(
        ("router_settings", "retry_policy")
    )


def test_patterns_reach_only_their_own_section() -> None:
    found = look_up(("model_list", "litellm_params", "output_cost_per_second"))
    assert found is not None
    assert found[0] is Verdict.UNSUPPORTED
    assert look_up(("general_settings", "output_cost_per_second")) is None
    assert look_up(("router_settings", "supports_vision")) is None
