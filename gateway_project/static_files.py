"""Static files under ASGI: whole, because Django warns of WhiteNoise's synchronous iterators and reads them whole."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise, answering with the file's bytes rather than an iterator over them."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Return a static file, or as much of it as was asked for."""
        found = WhiteNoiseMiddleware.serve(static_file, request)
        response = HttpResponse(b"".join(found.streaming_content), status=found.status_code)
        del response["Content-Type"]
        for name, value in found.items():
            response[name] = value
        if found.file_to_stream is not None:
            found.file_to_stream.close()  # not the response: closing that would end the request before its time
        return response
