"""One small web server for every test that needs one: it serves bodies at paths, and scripted faults before them."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
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
    """A body, its type, the date of its last change, and the status."""

    body: bytes
    content_type: str = "application/octet-stream"
    last_modified: dt.datetime | None = None
    code: int = 200


@dataclass
class Request:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


Answer = Served | Callable[[dict[str, str]], Served]
AnyServer = TypeVar("AnyServer", bound=TCPServer)


class Loopback(ThreadingHTTPServer):
    """A publisher. `routes` maps paths to bodies (or functions of the query); `faults` come first, one a request.

    `connections` counts those opened, `sent` has the path and size of each body.
    """

    daemon_threads = True

    def __init__(self, routes: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes = dict(routes)
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.sent: list[tuple[str, int]] = []

    @property
    def root(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def respond(self, path: str, query: dict[str, str]) -> Served:
        """The honest response."""
        route = self.routes.get(path, Served(b"not here", code=404))
        return route(query) if callable(route) else route

    def next_fault(self, address: str) -> Fault | None:
        """What replaces the response to an address, if anything."""
        return self.faults.pop(0) if self.faults else None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of some tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Loopback
    posted = ""
    protocol_version = "HTTP/1.1"  # connections stay open, as publishers' do

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        query |= {"body": self.posted} if self.posted else {}
        self.server.requests.append(Request(parts.path, query, dict(self.headers)))
        served = self.server.respond(parts.path, query)
        if fault := self.server.next_fault(self.path):
            fault(self, served.body)
            return
        headers, code, body = {"Content-Type": served.content_type}, served.code, served.body
        if served.last_modified is not None:
            headers["Last-Modified"] = email.utils.format_datetime(served.last_modified, usegmt=True)
            since = self.headers.get("If-Modified-Since")
            if since and email.utils.parsedate_to_datetime(since) >= served.last_modified:
                code, body = 304, b""
        if asked := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2]), len(body) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            code, body = 206, body[first : last + 1]
        answer(self, code, body, headers)
        self.server.sent.append((parts.path, 0 if self.command == "HEAD" else len(body)))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """As a GET; a function of the query finds what was sent under "body"."""
        self.posted = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
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
