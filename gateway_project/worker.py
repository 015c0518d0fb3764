"""One worker process: uvicorn on a socket it was given, garbage collection tuned for a large, quiet heap."""

import argparse
import gc
import os
import signal
import socket
from types import FrameType

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

import uvicorn
from django.conf import settings

from gateway_project.asgi import application
from gateway_project.protocol import WholeAnswerProtocol

# A frame that is too large for a body should be told so, not cut off.
WS_FRAME_MARGIN_BYTES = 64 * 1024
# Django's heap is large and lives as long as the process; walking it in every collection costs a seventh of a call.
GC_THRESHOLDS = (50_000, 50, 50)


def main() -> None:
    """Serve the socket that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="an open listening socket")
    serve(socket.socket(fileno=parser.parse_args().fd))


def serve(listener: socket.socket) -> None:
    """Serve a listening socket until SIGTERM, drain, flush, and end with status 0."""
    server = uvicorn.Server(_configure())

    # uvicorn listens to signals only while it runs: one that comes before must end it too, and the one it raises again
    # when it has ended must not kill the process, so that its exit status is 0.
    def note_signal(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note_signal)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    # Not uvicorn's own `fd`, which takes every socket for a Unix one: Nagle's algorithm would stay on, and hold each
    # answer on a kept connection back for 40 ms.
    server.run(sockets=[listener])


def _configure() -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=WholeAnswerProtocol,
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.GATEWAY_DRAIN_S),
        backlog=2048,
    )


if __name__ == "__main__":
    main()
