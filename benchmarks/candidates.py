"""Who takes part: one row a candidate, saying how it is installed, started and asked.

A new candidate is a row in CANDIDATES and the two functions it names.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from benchmarks import install, workload
from benchmarks.crossing import CROSSINGS
from benchmarks.process import Command
from benchmarks.unary import Door

_CHAT = "/v1/chat/completions"
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Place:
    """Where one start of a candidate lives: its scratch folder, its port and its provider's port."""

    folder: Path
    port: int
    upstream_port: int
    beside_port: int

    @property
    def upstream_url(self) -> str:
        return f"http://127.0.0.1:{self.upstream_port}/v1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the comparison."""

    name: str
    title: str
    install: Callable[[], None]
    version: Callable[[], str]
    command: Callable[[Place], Command]
    door: Callable[[Place], Door]
    beside: Callable[[Place], Command] | None = None  # what it needs running, and what is not counted as its own
    translates: bool = False  # has a route for each provider of `crossing`


def direct_door(upstream_port: int) -> Door:
    """Return the way to the provider with nothing in between, which latency is compared to."""
    return Door(upstream_port, _CHAT, _CHAT, workload.UPSTREAM_MODEL, {})


def _bearer_door(place: Place, *, model: str) -> Door:
    return Door(place.port, _CHAT, _CHAT, model, {"authorization": f"Bearer {workload.CLIENT_KEY}"})


def _route_door(place: Place) -> Door:
    return _bearer_door(place, model=workload.ROUTE_MODEL)


def _upstream_model_door(place: Place) -> Door:
    return _bearer_door(place, model=workload.UPSTREAM_MODEL)


_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
{user}
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  upstream provider {{
    server 127.0.0.1:{upstream_port};
    keepalive 1024;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location /v1/ {{ proxy_pass http://provider; }}
    location /stream/v1/ {{ proxy_pass http://provider/v1/; proxy_buffering off; }}
  }}
}}
"""


def _nginx_command(place: Place) -> Command:
    user = "user root;" if os.geteuid() == 0 else ""  # workers must be able to write into our scratch folder
    config = place.folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=place.folder, port=place.port, upstream_port=place.upstream_port, user=user))
    return Command(["nginx", "-p", str(place.folder), "-c", str(config)], {}, ready_path="/v1/models")


def _nginx_door(place: Place) -> Door:
    return Door(place.port, _CHAT, "/stream" + _CHAT, workload.UPSTREAM_MODEL, {})


def _litellm_command(place: Place) -> Command:
    upstream = {
        "model": f"openai/{workload.UPSTREAM_MODEL}",
        "api_base": place.upstream_url,
        "api_key": workload.UPSTREAM_KEY,
    }
    config = _write_yaml(
        place.folder / "litellm.yaml",
        {
            "model_list": [
                {"model_name": workload.ROUTE_MODEL, "litellm_params": upstream},
                *(crossing.litellm_model(place.upstream_port) for crossing in CROSSINGS),
            ],
            "general_settings": {"master_key": workload.CLIENT_KEY},
            "litellm_settings": {"telemetry": False},
        },
    )
    program = str(install.LITELLM_VENV / "bin/litellm")
    arguments = ["--config", str(config), "--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1"]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return Command([program, *arguments], quiet, ready_path="/health/liveliness", ready_within_s=120)


def _portkey_command(place: Place) -> Command:
    arguments = [str(install.PORTKEY_SCRIPT), "--headless", f"--port={place.port}"]
    return Command(["node", *arguments], {"NODE_ENV": "production"}, ready_path="/")


def _portkey_door(place: Place) -> Door:
    headers = {
        "authorization": f"Bearer {workload.UPSTREAM_KEY}",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": place.upstream_url,
    }
    return Door(place.port, _CHAT, _CHAT, workload.UPSTREAM_MODEL, headers)


def _bare_command(place: Place) -> Command:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    where = ["--host", "127.0.0.1", "--port", str(place.port), "--backlog", "4096"]
    env = {"PYTHONPATH": str(_ROOT), "BENCH_UPSTREAM_URL": place.upstream_url}
    return Command([sys.executable, "-m", "uvicorn", "benchmarks.bare:app", *options, *where], env, "/health")


def _gateway_command(place: Place) -> Command:
    return _serve_gateway(place, _gateway_config(place), {})


def _limited_command(place: Place) -> Command:
    return _serve_gateway(place, _gateway_config(place) | dict(_RULES), {})


def _shared_command(place: Place) -> Command:
    redis_url = {"REDIS_URL": f"redis://127.0.0.1:{place.beside_port}/0"}
    return _serve_gateway(place, _gateway_config(place) | dict(_RULES), redis_url)


def _serve_gateway(place: Place, document: Mapping[str, object], env: Mapping[str, str]) -> Command:
    config = _write_yaml(place.folder / "gateway.yaml", document)
    data = ["--data-dir", str(place.folder / "data")]
    arguments = ["serve", "--port", str(place.port), "--workers", "1", *data, "--config", str(config)]
    return Command([str(install.gateway_program()), *arguments], env, ready_path="/v1/models", ready_within_s=90)


def _unmetered_command(place: Place) -> Command:
    config = _write_yaml(place.folder / "gateway.yaml", _gateway_config(place))
    env = {"PYTHONPATH": str(_ROOT), "GATEWAY_DATA_DIR": str(place.folder / "data")}
    arguments = ["-m", "benchmarks.unmetered", "--config", str(config), "--port", str(place.port)]
    return Command([sys.executable, *arguments], env, ready_path="/v1/models", ready_within_s=90)


def _redis_beside(place: Place) -> Command:
    where = ["--port", str(place.beside_port), "--bind", "127.0.0.1", "--dir", str(place.folder)]
    return Command(["redis-server", *where, "--save", "", "--appendonly", "no"], {}, ready_path="")


def _gateway_config(place: Place) -> dict[str, object]:
    provider = {
        "slug": "upstream",
        "kind": "openai",  # so that the vendor's price list applies and every call is billed
        "base_url": place.upstream_url,
        "credential": workload.UPSTREAM_KEY,
    }
    target = {"provider": "upstream", "model": workload.UPSTREAM_MODEL, "weight": 1}
    return {
        "tenants": [{"slug": "bench", "name": "Bench"}],
        "keys": [{"tenant": "bench", "name": "bench", "secret": workload.CLIENT_KEY}],
        "providers": [provider, *(crossing.gateway_provider(place.upstream_port) for crossing in CROSSINGS)],
        "routes": [
            {"name": workload.ROUTE_MODEL, "targets": [target]},
            *(crossing.gateway_route() for crossing in CROSSINGS),
        ],
    }


# What a careful operator sets: a limit of requests and one of tokens for each key, a budget for the key's tenant and
# one for everyone. None of them refuses anything here.
_RULES: Mapping[str, object] = MappingProxyType(
    {
        "limits": [
            {"name": "requests", "measure": "requests", "span": "minute", "value": 10**9, "per": "key"},
            {"name": "tokens", "measure": "tokens", "span": "minute", "value": 10**12, "per": "key"},
        ],
        "budgets": [
            {"name": "tenants", "limit_usd": "100000", "period": "month", "per": "tenant"},
            {"name": "everyone", "limit_usd": "1000000", "period": "day"},
        ],
    }
)


def _write_yaml(path: Path, document: Mapping[str, object]) -> Path:
    path.write_text(yaml.safe_dump(document))
    return path


def _nothing() -> None:
    """Install nothing: it comes with the project."""


CANDIDATES: tuple[Candidate, ...] = (
    Candidate(
        "nginx",
        "nginx `proxy_pass`",
        lambda: install.system_package("nginx", "nginx"),
        install.nginx_version,
        _nginx_command,
        _nginx_door,
    ),
    Candidate("bare", "bare ASGI pass-through", _nothing, install.uvicorn_version, _bare_command, _upstream_model_door),
    Candidate(
        "gateway",
        "LLM Gateway",
        _nothing,
        install.gateway_version,
        _gateway_command,
        _route_door,
        translates=True,
    ),
    Candidate(
        "unmetered",
        "LLM Gateway without metering",
        _nothing,
        install.gateway_version,
        _unmetered_command,
        _route_door,
    ),
    Candidate(
        "limited",
        "LLM Gateway, limits and budgets",
        _nothing,
        install.gateway_version,
        _limited_command,
        _route_door,
    ),
    Candidate(
        "shared",
        "LLM Gateway, limits and budgets in Redis",
        lambda: install.system_package("redis-server", "redis-server"),
        install.gateway_version,
        _shared_command,
        _route_door,
        _redis_beside,
    ),
    Candidate("portkey", "Portkey", install.portkey, install.portkey_version, _portkey_command, _portkey_door),
    Candidate(
        "litellm",
        "LiteLLM proxy",
        install.litellm,
        install.litellm_version,
        _litellm_command,
        _route_door,
        translates=True,
    ),
)
