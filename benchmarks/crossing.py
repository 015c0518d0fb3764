"""Providers of other dialects behind the OpenAI door: what gateway and LiteLLM are told of them.

Each stands behind a route of its own in the same process, so that translated calls and those that pass are measured in
turn and a noisy moment hits all of them.
"""

from dataclasses import dataclass, replace

from benchmarks import workload
from benchmarks.unary import Door
from providers.dialects.canonical import Dialect


@dataclass(frozen=True, slots=True)
class Crossing:
    """A provider whose dialect is not the client's: `kind` and `prefix` are what gateway and LiteLLM call it."""

    dialect: Dialect
    kind: str
    model: str
    prefix: str

    @property
    def route(self) -> str:
        """Return the model that clients ask for."""
        return f"{workload.ROUTE_MODEL}-{self.dialect}"

    def gateway_provider(self, upstream_port: int) -> dict[str, object]:
        """Return the provider as the gateway's configuration declares it."""
        return {
            "slug": self.kind,
            "kind": self.kind,
            "base_url": f"http://127.0.0.1:{upstream_port}",
            "credential": workload.UPSTREAM_KEY,
            **({"options": {"region": "us-east-1"}} if self.dialect is Dialect.CONVERSE else {}),
        }

    def gateway_route(self) -> dict[str, object]:
        """Return the route as the gateway's configuration declares it."""
        return {"name": self.route, "targets": [{"provider": self.kind, "model": self.model, "weight": 1}]}

    def litellm_model(self, upstream_port: int) -> dict[str, object]:
        """Return the entry of LiteLLM's `model_list`."""
        address = f"http://127.0.0.1:{upstream_port}"
        parameters = {"model": f"{self.prefix}/{self.model}", "api_base": address, "api_key": workload.UPSTREAM_KEY}
        if self.dialect is Dialect.CONVERSE:
            parameters |= {"aws_region_name": "us-east-1", "aws_bedrock_runtime_endpoint": address}
        return {"model_name": self.route, "litellm_params": parameters}


CROSSINGS = (
    Crossing(Dialect.ANTHROPIC, "anthropic", "claude-sonnet-4-5", "anthropic"),
    Crossing(Dialect.GEMINI, "gemini", "gemini-2.5-flash", "gemini"),
    Crossing(Dialect.CONVERSE, "bedrock", "amazon.nova-pro-v1:0", "bedrock/converse"),
)


def doors(passing: Door) -> dict[Dialect, Door]:
    """Return the ways to the same candidate by the dialect of the provider behind; the first one passes bytes."""
    return {Dialect.OPENAI: passing, **{c.dialect: replace(passing, model=c.route) for c in CROSSINGS}}
