"""Where alerts arrive: a webhook's receiver and a mail server on loopback that remember what came in."""

import smtplib
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook(ThreadingHTTPServer):
    """Answers with `status`, and remembers the headers and body of each request."""

    status = 204
    silence_s = 0.0
    location = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class _Receive(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({name.lower(): text for name, text in self.headers.items()}, body))
        time.sleep(self.server.silence_s)
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("location", self.server.location)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks just enough SMTP; `refuses` is the command that it answers with 550."""

    allow_reuse_address = True
    daemon_threads = True
    refuses = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Converse)
        self.port = int(self.server_address[1])
        self.received: list[tuple[list[str], str]] = []


class _Converse(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        recipients: list[str] = []
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == self.server.refuses:
                self._say("550 no")
                continue
            if verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
            if verb == "DATA":
                self._say("354 go on")
                self.server.received.append((recipients, self._read_message()))
            self._say("221 bye" if verb == "QUIT" else "250 ok")

    def _read_message(self) -> str:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.decode())
        return "".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}{smtplib.CRLF}".encode())


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve on a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
