"""What LiteLLM's configuration may say, and where each word of it is dealt with.

The tables hold, by verdict and reason, the names of keys that translate into nothing. Sources: LiteLLM's "All settings"
page, its pages on routing, reliability and spend tracking, and the types of its configuration, October 2026.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from gateway_project.configuration.litellm.clouds import CLOUD_KEYS
from gateway_project.configuration.litellm.known_models import INFO, PARAMS
from gateway_project.configuration.litellm.known_settings import GENERAL, LITELLM, ROUTER, TOP
from gateway_project.configuration.litellm.reasons import INFORMATION, NO_CLOUD_AUTH
from gateway_project.configuration.report import Verdict


def _by_name(section: Mapping[Verdict, Mapping[str, str]]) -> dict[str, tuple[Verdict, str]]:
    return {
        name: (verdict, why)
        for verdict, reasons in section.items()
        for why, names in reasons.items()
        for name in names.split()
    }


_SECTIONS = MappingProxyType(
    {
        ("model_list", "litellm_params"): _by_name(PARAMS),
        ("model_list", "model_info"): _by_name(INFO),
        ("router_settings",): _by_name(ROUTER),
        ("litellm_settings",): _by_name(LITELLM),
        ("general_settings",): _by_name(GENERAL),
        (): _by_name(TOP),
    }
)
_PATTERNS = (
    (
        re.compile(r"\w*(_cost|cost_per_|uplift_multiplier|web_search_billing|search_free|_pricing)\w*"),
        ("model_list",),
        Verdict.UNSUPPORTED,
        "there is no price for this kind of unit",
    ),
    (
        re.compile(r"[a-z]+_(federation|organization|service_account|identity|issuer|keycloak|disable_workload)_\w+"),
        ("model_list", "litellm_params"),
        Verdict.UNSUPPORTED,
        NO_CLOUD_AUTH,
    ),
    (
        re.compile(r"prometheus_\w+"),
        ("litellm_settings",),
        Verdict.WITHOUT_EFFECT,
        "the gateway's metrics have their own names and labels",
    ),
    # LiteLLM takes any key here and hands it on in its list of models.
    (re.compile(r".+"), ("model_list", "model_info"), Verdict.WITHOUT_EFFECT, INFORMATION),
)


_PARAMS_READ = (
    "model api_key api_base base_url custom_llm_provider organization extra_headers timeout stream_timeout max_retries "
    "num_retries weight order rpm tpm max_parallel_requests default_api_key_rpm_limit default_api_key_tpm_limit "
    "litellm_credential_name drop_params"
)
_ROUTER_READ = (
    "num_retries max_retries timeout stream_timeout fallbacks default_fallbacks model_group_alias routing_strategy "
    "default_max_parallel_requests"
)
_LITELLM_READ = (
    "num_retries num_retries_per_request request_timeout stream_timeout fallbacks default_fallbacks model_group_alias "
    "model_alias_map max_budget budget_duration max_internal_user_budget internal_user_budget_duration timezone "
    "drop_params"
)
_GENERAL_READ = "master_key max_parallel_requests global_max_parallel_requests"
_RATES_READ = ("rpm", "tpm")
_TRANSLATED = frozenset(
    {
        ("include",),
        ("model_list", "model_name"),
        *(("model_list", "litellm_params", name) for name in (*_PARAMS_READ.split(), *CLOUD_KEYS)),
        *(("model_list", name) for name in _RATES_READ),
        *(("model_list", "model_info", name) for name in ("base_model", "blocked", *_RATES_READ)),
        *(("router_settings", name) for name in _ROUTER_READ.split()),
        *(("litellm_settings", name) for name in _LITELLM_READ.split()),
        *(("general_settings", name) for name in _GENERAL_READ.split()),
    }
)


def is_translated(names: tuple[str, ...]) -> bool:
    """Tell whether a path without its list positions is one of those that the translation reads itself."""
    return any(names[:length] in _TRANSLATED for length in range(1, len(names) + 1))


def look_up(names: tuple[str, ...]) -> tuple[Verdict, str] | None:
    """Return the verdict on a path without its list positions, as far as the path is known."""
    for section, table in _SECTIONS.items():
        if names[: len(section)] == section and len(names) > len(section) and names[len(section)] in table:
            return table[names[len(section)]]
    return _match_pattern(names)


def _match_pattern(names: tuple[str, ...]) -> tuple[Verdict, str] | None:
    for pattern, section, verdict, why in _PATTERNS:
        depth = 2 if section[0] == "model_list" else 1
        if names[: len(section)] == section and len(names) > depth and pattern.fullmatch(names[depth]):
            return verdict, why
    return None
