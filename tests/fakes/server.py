"""One small web server for the publishers of files: it serves bodies at paths, and scripted faults before them."""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from tests.fakes.faults import Fault, answer


@dataclass(frozen=True)
class Served:
    """A body, its type and the date of its last change."""

    body: bytes
    content_type: str = "application/octet-stream"
    last_modified: dt.datetime | None = None


@dataclass
class Request:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


Answer = Served | Callable[[dict[str, str]], Served]
AnyServer = TypeVar("AnyServer", bound=TCPServer)


class Loopback(ThreadingHTTPServer):
    """A publisher. `routes` maps paths to bodies (or functions of the query); `faults` come first, one a request."""

    daemon_threads = True

    def __init__(self, routes: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes = dict(routes)
        self.faults: list[Fault] = []
        self.requests: list[Request] = []

    @property
    def root(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of some tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Loopback
    sent = ""
    protocol_version = "HTTP/1.1"  # connections stay open, as publishers' do

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        query |= {"body": self.sent} if self.sent else {}
        self.server.requests.append(Request(parts.path, query, dict(self.headers)))
        route = self.server.routes.get(parts.path)
        served = route(query) if callable(route) else route
        if self.server.faults:
            self.server.faults.pop(0)(self, served.body if served is not None else b"")
        elif served is None:
            answer(self, 404, b"not here")
        else:
            headers = {"Content-Type": served.content_type}
            code, body = 200, served.body
            if served.last_modified is not None:
                headers["Last-Modified"] = email.utils.format_datetime(served.last_modified, usegmt=True)
                since = self.headers.get("If-Modified-Since")
                if since and email.utils.parsedate_to_datetime(since) >= served.last_modified:
                    code, body = 304, b""
            answer(self, code, body, headers)

    def do_POST(self) -> None:
        """As a GET; a function of the query finds what was sent under "body"."""
        self.sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """The server, running until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
