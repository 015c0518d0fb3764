"""The OpenAI door: chat completions, legacy completions, embeddings, pictures, sound, moderations."""

from gateway.endpoints.edge import endpoint, require_form
from gateway.endpoints.serving import serve_call
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from providers.dialects import doors


@endpoint
async def chat_completions(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/chat/completions."""
    return await serve_call(plane, incoming, request_id, doors.CHAT)


@endpoint
async def completions(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/completions."""
    return await serve_call(plane, incoming, request_id, doors.COMPLETIONS)


@endpoint
async def embeddings(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/embeddings."""
    return await serve_call(plane, incoming, request_id, doors.EMBEDDINGS)


@endpoint
async def generate_images(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/images/generations."""
    return await serve_call(plane, incoming, request_id, doors.IMAGES)


@endpoint
async def edit_images(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/images/edits."""
    return await serve_call(plane, incoming, request_id, doors.IMAGE_EDITS, check=require_form)


@endpoint
async def transcribe(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/audio/transcriptions."""
    return await serve_call(plane, incoming, request_id, doors.TRANSCRIPTIONS, check=require_form)


@endpoint
async def translate(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/audio/translations."""
    return await serve_call(plane, incoming, request_id, doors.TRANSLATIONS, check=require_form)


@endpoint
async def speech(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/audio/speech."""
    return await serve_call(plane, incoming, request_id, doors.SPEECH)


@endpoint
async def moderations(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/moderations."""
    return await serve_call(plane, incoming, request_id, doors.MODERATIONS)


@endpoint
async def rerank(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/rerank, in the shape that Cohere and Jina share."""
    return await serve_call(plane, incoming, request_id, doors.RERANK)
