"""One small web server for all publishers beside FRED: it serves bodies at paths, and scripted faults before them.

Belongs here: HTTP and its faults. Does not belong here: what a publisher serves (one module each).
"""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

HANG_SECONDS = 5.0
Behaviour = Literal["answer", "hang", "drip", "drop", "cut_short"]


class Fault(NamedTuple):
    """What one request gets instead: a status, a body of its own, or a way of not answering."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    behaviour: Behaviour = "answer"


@dataclass(frozen=True)
class Served:
    """A body and what its server says of it."""

    body: bytes
    content_type: str = "application/octet-stream"
    last_modified: dt.datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


Answer = Served | Callable[[dict[str, str]], Served]


class Loopback(ThreadingHTTPServer):
    """A publisher. `routes` maps paths to bodies (or functions of the query); `faults` come first, one a request."""

    daemon_threads = True

    def __init__(self, routes: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes = dict(routes)
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.ended = threading.Event()

    @property
    def root(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some of these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Loopback
    protocol_version = "HTTP/1.1"  # connections stay open, as publishers' do

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.server.requests.append(Request(parts.path, query, dict(self.headers)))
        fault = self.server.faults.pop(0) if self.server.faults else Fault()
        answer = self.server.routes.get(parts.path)
        self.close_connection = self.close_connection or fault.behaviour != "answer"
        if fault.behaviour == "drop":
            return
        if fault.behaviour == "hang":
            self.server.ended.wait(HANG_SECONDS)
            return
        if fault.status != 200 or fault.body is not None:
            self._send(fault.status, fault.body or b"", fault.headers, fault.behaviour)
        elif answer is None:
            self._send(404, b"not here", {})
        else:
            served = answer(query) if callable(answer) else answer
            self._serve(served, fault)

    def _serve(self, served: Served, fault: Fault) -> None:
        headers = {"Content-Type": served.content_type, **served.headers, **fault.headers}
        asked = self.headers.get("If-Modified-Since")
        if served.last_modified is not None:
            headers["Last-Modified"] = email.utils.format_datetime(served.last_modified, usegmt=True)
            if asked and email.utils.parsedate_to_datetime(asked) >= served.last_modified:
                self._send(304, b"", headers)
                return
        self._send(200, served.body, headers, fault.behaviour)

    def _send(
        self, status: int, body: bytes, headers: Mapping[str, str], behaviour: Behaviour = "answer"
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour == "cut_short":
            self.wfile.write(body[: len(body) // 2])
        elif behaviour == "drip":
            for n in range(len(body)):
                self.wfile.write(body[n : n + 1])
                self.wfile.flush()
                if self.server.ended.wait(0.05):
                    return
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""


@contextmanager
def running(server: Loopback) -> Iterator[Loopback]:
    """The server, answering until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
