"""Ninja's skin around the doors: paths, methods and their OpenAPI description. The work is in `endpoints`."""

from typing import Any, cast
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from gateway import openapi
from gateway.endpoints import anthropic, gemini, models, native, openai, passthrough, responses
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
    description="The OpenAI, Anthropic and Gemini APIs, and the gateway's own under /v1/gateway.",
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


@api.post("/v1/images/generations", response=RAW, tags=["Inference"], openapi_extra=openapi.IMAGE)
async def generate_images(request: HttpRequest) -> ReplyResponse:
    """Make pictures of words."""
    return ReplyResponse(await openai.generate_images(*_of(request)))


@api.post("/v1/images/edits", response=RAW, tags=["Inference"], openapi_extra=openapi.FORM)
async def edit_images(request: HttpRequest) -> ReplyResponse:
    """Change pictures that are sent as a form."""
    return ReplyResponse(await openai.edit_images(*_of(request)))


@api.post("/v1/audio/speech", response=RAW, tags=["Inference"], openapi_extra=openapi.SPEECH)
async def speech(request: HttpRequest) -> ReplyResponse:
    """Speak a text; the sound comes as it is made."""
    return ReplyResponse(await openai.speech(*_of(request)))


@api.post("/v1/audio/transcriptions", response=RAW, tags=["Inference"], openapi_extra=openapi.FORM)
async def transcribe(request: HttpRequest) -> ReplyResponse:
    """Write down what is said in a recording that is sent as a form."""
    return ReplyResponse(await openai.transcribe(*_of(request)))


@api.post("/v1/audio/translations", response=RAW, tags=["Inference"], openapi_extra=openapi.FORM)
async def translate(request: HttpRequest) -> ReplyResponse:
    """Write down in English what is said in a recording that is sent as a form."""
    return ReplyResponse(await openai.translate(*_of(request)))


@api.post("/v1/moderations", response=RAW, tags=["Inference"], openapi_extra=openapi.MODERATION)
async def moderations(request: HttpRequest) -> ReplyResponse:
    """Tell whether texts or pictures are harmful."""
    return ReplyResponse(await openai.moderations(*_of(request)))


@api.post("/v1/rerank", response=RAW, tags=["Inference"], openapi_extra=openapi.RERANK)
async def rerank(request: HttpRequest) -> ReplyResponse:
    """Put documents into the order of their relevance to a query."""
    return ReplyResponse(await openai.rerank(*_of(request)))


@api.post("/v1/responses", response=RAW, tags=["Responses"], openapi_extra=openapi.RESPONSE)
async def create_response(request: HttpRequest) -> ReplyResponse:
    """Create a response, whole or as a stream; it may go on from an earlier one."""
    return ReplyResponse(await responses.create_response(*_of(request)))


@api.post("/v1/responses/input_tokens", response=RAW, tags=["Responses"], openapi_extra=openapi.RESPONSE_INPUT)
async def count_input_tokens(request: HttpRequest) -> ReplyResponse:
    """Count the tokens of a response that is not made."""
    return ReplyResponse(await responses.count_input_tokens(*_of(request)))


@api.post("/v1/responses/compact", response=RAW, tags=["Responses"], openapi_extra=openapi.RESPONSE_INPUT)
async def compact_response(request: HttpRequest) -> ReplyResponse:
    """Make a long conversation into a short one to go on from."""
    return ReplyResponse(await responses.compact_response(*_of(request)))


@api.get("/v1/responses/{response_id}", response=RAW, tags=["Responses"], openapi_extra=openapi.READ)
async def get_response(request: HttpRequest, response_id: str) -> ReplyResponse:
    """Return a response that was kept."""
    return ReplyResponse(await responses.get_response(*_of(request), response_id))


@api.delete("/v1/responses/{response_id}", response=RAW, tags=["Responses"], openapi_extra=openapi.READ)
async def delete_response(request: HttpRequest, response_id: str) -> ReplyResponse:
    """Forget a response that was kept."""
    return ReplyResponse(await responses.delete_response(*_of(request), response_id))


@api.post("/v1/responses/{response_id}/cancel", response=RAW, tags=["Responses"], openapi_extra=openapi.READ)
async def cancel_response(request: HttpRequest, response_id: str) -> ReplyResponse:
    """Refuse: only responses of the background can be cancelled, and the gateway runs none."""
    return ReplyResponse(await responses.cancel_response(*_of(request), response_id))


@api.get("/v1/responses/{response_id}/input_items", response=RAW, tags=["Responses"], openapi_extra=openapi.READ)
async def list_input_items(request: HttpRequest, response_id: str) -> ReplyResponse:
    """List the items that were given for a response."""
    return ReplyResponse(await responses.list_input_items(*_of(request), response_id))


@api.post("/v1/messages", response=RAW, tags=["Messages"], openapi_extra=openapi.MESSAGES)
async def messages(request: HttpRequest) -> ReplyResponse:
    """Create a message as Anthropic's clients ask for it, whole or as a stream."""
    return ReplyResponse(await anthropic.messages(*_of(request)))


@api.post("/v1/messages/count_tokens", response=RAW, tags=["Messages"], openapi_extra=openapi.MESSAGES)
async def count_message_tokens(request: HttpRequest) -> ReplyResponse:
    """Count the tokens of a message that is not made."""
    return ReplyResponse(await anthropic.count_tokens(*_of(request)))


@api.post("/v1beta/models/{path:model}", response=RAW, tags=["Content"], openapi_extra=openapi.GENERATE)
async def call_model_beta(request: HttpRequest, model: str) -> ReplyResponse:
    """Call a method of a model as Gemini's clients do: `{model}:generateContent` and its like."""
    return ReplyResponse(await gemini.call_model(*_of(request), model))


@api.post("/v1/models/{path:model}", response=RAW, tags=["Content"], openapi_extra=openapi.GENERATE)
async def call_model(request: HttpRequest, model: str) -> ReplyResponse:
    """Call a method of a model as Gemini's newer clients do."""
    return ReplyResponse(await gemini.call_model(*_of(request), model))


@api.get("/v1/models", response=RAW, tags=["Inference"], openapi_extra=openapi.READ)
async def list_models(request: HttpRequest) -> ReplyResponse:
    """List the models this key may use, in the words of the vendor whose client asks."""
    return ReplyResponse(await models.list_models(*_of(request)))


@api.get("/v1beta/models", response=RAW, tags=["Content"], openapi_extra=openapi.READ_CONTENT)
async def list_models_beta(request: HttpRequest) -> ReplyResponse:
    """List the models this key may use, in Gemini's words."""
    return ReplyResponse(await models.list_models(*_of(request)))


@api.get("/v1/models/{path:model}", response=RAW, tags=["Inference"], openapi_extra=openapi.READ)
async def get_model(request: HttpRequest, model: str) -> ReplyResponse:
    """Describe one model this key may use."""
    return ReplyResponse(await models.get_model(*_of(request), model))


@api.get("/v1beta/models/{path:model}", response=RAW, tags=["Content"], openapi_extra=openapi.READ_CONTENT)
async def get_model_beta(request: HttpRequest, model: str) -> ReplyResponse:
    """Describe one model this key may use, in Gemini's words."""
    return ReplyResponse(await models.get_model(*_of(request), model))


async def pass_through(request: HttpRequest, provider: str, rest: str) -> ReplyResponse:
    """Send a request as it is to a provider: any path under its API's root, with the operator's credential."""
    raw_path = _raw_path_of(request)
    return ReplyResponse(await passthrough.pass_through(*_of(request), provider, rest, raw_path))


for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):  # each with a name of its own in the document
    api.api_operation(
        [method],
        "/passthrough/{provider}/{path:rest}",
        response=RAW,
        tags=["Passthrough"],
        operation_id=f"gateway_views_pass_through_{method.lower()}",
        openapi_extra=openapi.PASSTHROUGH,
    )(pass_through)


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


def _raw_path_of(request: HttpRequest) -> bytes:
    """Return the path as it stands on the request line; servers that don't tell it are rare."""
    scope = cast("DataPlaneRequest", request).scope
    raw: bytes | None = scope.get("raw_path")
    return raw or quote(scope["path"]).encode()
