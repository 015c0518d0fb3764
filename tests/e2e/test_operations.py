"""What an operator looks at: metrics, health, the API's description, the log, and what must never stand in it."""

import json
import re
import time
from typing import Any

import pytest

from tests.services.declared import ADMIN_PASSWORD, CREDENTIAL
from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
METRICS = (
    "llm_requests_total",
    "llm_latency_ms_bucket",
    "llm_first_byte_ms_bucket",
    "llm_tokens_total",
    "llm_stream_tokens_total",
    "llm_cost_usd_total",
    "llm_gateway_calls_total",
)


def metric(gateway: Gateway, name: str, **labels: str) -> float:
    """Return the sum of a metric's series that have these labels."""
    text = gateway.http.get("/metrics").text
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    series = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for labelled, value in series if all(want in labelled for want in wanted))


def test_metrics_have_the_known_names_and_grow(gateway: Gateway) -> None:
    gateway.chat(model="remote", stream=True)
    text = gateway.http.get("/metrics").text
    assert [name for name in METRICS if name not in text] == []

    def counted() -> tuple[float, ...]:
        of = {"provider": "remote", "model": "mock-small"}
        return (
            metric(gateway, "llm_requests_total", success="true", route="remote", **of),
            metric(gateway, "llm_tokens_total", direction="output", **of),
            metric(gateway, "llm_cost_usd_total", **of),
            metric(gateway, "llm_gateway_calls_total", route="remote", status="200"),
            metric(gateway, "llm_latency_ms_count", **of),
        )

    before = counted()
    gateway.chat("[[mock tokens=50]]", model="remote")
    grown = [round(new - old, 9) for new, old in zip(counted(), before, strict=True)]
    assert grown == [1, 50, round((5 * 300 + 50 * 1200) / 1e9, 9), 1, 1]


def test_failures_are_counted_as_such(gateway: Gateway) -> None:
    before = metric(gateway, "llm_requests_total", success="false", provider="remote")
    assert gateway.chat("[[mock status=400]]", model="remote").status_code == 400
    assert metric(gateway, "llm_requests_total", success="false", provider="remote") == before + 1


def test_health_and_readiness_need_no_key(either: Gateway) -> None:
    assert either.http.get("/health").json() == {"status": "ok"}
    assert either.http.get("/ready").json()["status"] == "ready"


def test_the_api_describes_itself(gateway: Gateway) -> None:
    document = gateway.http.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described >= {
        ("post", "/v1/chat/completions"),
        ("post", "/v1/completions"),
        ("post", "/v1/embeddings"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{model}"),
    }
    page = gateway.http.get("/v1/docs")
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "/v1/openapi.json" in page.text


def test_every_operation_has_its_own_name(gateway: Gateway) -> None:
    document = gateway.http.get("/v1/openapi.json").json()
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_a_call_is_one_line_of_json_in_the_log(gateway: Gateway) -> None:
    answer = gateway.chat("a secret plan", model="remote", request_id="logged-1")
    [line] = gateway.logged("call served", request_id="logged-1")
    assert line["targets"] == ["remote/mock-small"]
    assert (line["tenant"], line["route"], line["status"], line["stream"]) == ("acme", "remote", 200, False)
    assert line["cost_usd"] == answer.headers["x-gateway-cost-usd"]
    gateway.chat("[[mock status=400]]", model="remote", request_id="logged-2")
    [line] = gateway.logged("call failed", request_id="logged-2")
    assert (line["level"], line["status"], line["error_code"]) == ("WARNING", 400, "mock_error")


def test_answers_on_a_kept_connection_are_not_held_back(gateway: Gateway) -> None:
    """Nagle's algorithm against delayed acknowledgements would cost 40 ms an answer, every one of them."""

    def seconds() -> float:
        started_s = time.perf_counter()
        assert gateway.http.get("/health").status_code == 200
        return time.perf_counter() - started_s

    assert min(seconds() for _ in range(20)) < 0.035


def test_no_secret_is_ever_in_the_log_or_in_the_clear_in_the_data(gateway: Gateway) -> None:
    gateway.chat("a secret plan", model="remote")
    gateway.chat("a secret plan", model="locked")
    gateway.http.get("/v1/models", headers={"authorization": "Bearer sk-gw-a-wrong-but-secret-key"})
    gateway.http.post("/admin/login/", data={"username": "boss", "password": "a-mistyped-password"})
    secrets = [*gateway.keys.values(), CREDENTIAL, ADMIN_PASSWORD, "sk-not-the-one", "a secret plan"]
    secrets += ["sk-gw-a-wrong-but-secret-key", "a-mistyped-password"]
    assert [secret for secret in secrets if secret in gateway.log] == []
    for file in gateway.data_dir.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert [secret for secret in secrets if secret.encode() in content] == [], file


def test_secrets_json_is_its_owners_alone(gateway: Gateway) -> None:
    file = gateway.data_dir / "secrets.json"
    assert file.stat().st_mode & 0o077 == 0
    kept: dict[str, Any] = json.loads(file.read_text())
    assert not [value for value in kept.values() if str(value) in gateway.log]
