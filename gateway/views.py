"""Ninja's skin around the doors: paths, methods and their OpenAPI description. The work is in `endpoints`."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from gateway import openapi
from gateway.endpoints import native, openai
from gateway.handler import DataPlaneRequest, ReplyResponse
from gateway.messages import Incoming
from gateway.plane import DataPlane


class DataPlaneAPI(NinjaAPI):
    """Ninja without the response it makes for every view to add headers to (these views bring their own), and with
    the security schemes that its document would leave out, since the doors check keys themselves.
    """

    _unused = HttpResponse()

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Return one that nobody touches."""
        return self._unused

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the document."""
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        document["components"]["securitySchemes"] = dict(openapi.SECURITY_SCHEMES)
        return document


api = DataPlaneAPI(
    title="LLM Gateway",
    version="1",
    description="OpenAI-compatible endpoints, and the gateway's own under /v1/gateway.",
    openapi_url="/v1/openapi.json",
    docs_url="/v1/docs",
    urls_namespace="data-plane",
)
# An answer leaves as the bytes it came in: Ninja is told of no response model.
RAW: Any = None


@api.post("/v1/chat/completions", response=RAW, tags=["Inference"], openapi_extra=openapi.CHAT)
async def chat_completions(request: HttpRequest) -> ReplyResponse:
    """Create a chat completion, whole or as a stream of server-sent events."""
    return ReplyResponse(await openai.chat_completions(*_of(request)))


@api.post("/v1/completions", response=RAW, tags=["Inference"], openapi_extra=openapi.COMPLETION)
async def completions(request: HttpRequest) -> ReplyResponse:
    """Create a legacy completion, whole or as a stream of server-sent events."""
    return ReplyResponse(await openai.completions(*_of(request)))


@api.post("/v1/embeddings", response=RAW, tags=["Inference"], openapi_extra=openapi.EMBEDDING)
async def embeddings(request: HttpRequest) -> ReplyResponse:
    """Embed one text or several."""
    return ReplyResponse(await openai.embeddings(*_of(request)))


@api.get("/v1/models", response=RAW, tags=["Inference"], openapi_extra=openapi.READ)
async def list_models(request: HttpRequest) -> ReplyResponse:
    """List the models this key may use."""
    return ReplyResponse(await openai.list_models(*_of(request)))


@api.get("/v1/models/{path:model}", response=RAW, tags=["Inference"], openapi_extra=openapi.READ)
async def get_model(request: HttpRequest, model: str) -> ReplyResponse:
    """Describe one model this key may use."""
    return ReplyResponse(await openai.get_model(*_of(request), model))


@api.post("/v1/gateway/dry-run", response=RAW, tags=["Gateway"], openapi_extra=openapi.DRY_RUN)
async def try_dry(request: HttpRequest) -> ReplyResponse:
    """Tell what would become of a call: targets, cost, and the verdict of every limit and budget. Nothing is called."""
    return ReplyResponse(await native.try_dry(*_of(request)))


@api.get("/v1/gateway/usage/{wanted}", response=RAW, tags=["Gateway"], openapi_extra=openapi.READ)
async def request_usage(request: HttpRequest, wanted: str) -> ReplyResponse:
    """Tell what a request of this key used and cost, attempt by attempt."""
    return ReplyResponse(await native.request_usage(*_of(request), wanted))


@api.get("/health", response=RAW, tags=["Gateway"], openapi_extra=openapi.OPEN)
async def health(request: HttpRequest) -> ReplyResponse:
    """Tell that the process is alive."""
    return ReplyResponse(await native.health(*_of(request)))


@api.get("/ready", response=RAW, tags=["Gateway"], openapi_extra=openapi.OPEN)
async def ready(request: HttpRequest) -> ReplyResponse:
    """Tell whether calls would be served."""
    return ReplyResponse(await native.ready(*_of(request)))


def _of(request: HttpRequest) -> tuple[DataPlane, Incoming]:
    served = cast("DataPlaneRequest", request)
    return served.plane, served.incoming
