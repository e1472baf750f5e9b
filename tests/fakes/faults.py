"""What may go wrong between a publisher and us, each fault a small plan for one answer.

Belongs here: faults any HTTP server may have. Does not belong here: what a publisher means by its answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]  # given the answer it spoils


def status(code: int, retry_after: str | None = None, body: bytes = b"") -> Fault:
    """Another status, with the server's own body."""

    def spoil(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        answer(handler, code, body, headers)

    return spoil


HTML = b"<!DOCTYPE html><html><head><title>503</title></head><body>Service <b>Unavailable</body></html>"
TOO_MANY = b'<?xml version="1.0"?><error code="429" message="Too Many Requests.  Exceeded Rate Limit"/>'


def html(code: int = 503) -> Fault:
    """The page of some proxy."""
    return status(code, body=HTML)


def too_many(retry_after: str | None = None) -> Fault:
    """FRED's words for asking too often."""
    return status(429, retry_after, TOO_MANY)


def empty() -> Fault:
    """200 and nothing."""
    return status(200)


def truncated(share: float = 0.5) -> Fault:
    """The head promises the whole body, part of it comes."""

    def spoil(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: int(len(body) * share)])
        handler.close_connection = True

    return spoil


def cut_short(share: float = 0.5) -> Fault:
    """Part of the body, with a head that agrees: only its own grammar can tell."""

    def spoil(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        answer(handler, 200, body[: int(len(body) * share)])

    return spoil


def replaced(old: bytes, new: bytes) -> Fault:
    """The right answer with a piece of it exchanged."""

    def spoil(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        answer(handler, 200, body.replace(old, new, 1))

    return spoil


def dropped() -> Fault:
    """The connection is closed without a word."""

    def spoil(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.close_connection = True
        handler.connection.close()

    return spoil


def hang(seconds: float) -> Fault:
    """Silence, then nothing."""

    def spoil(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return spoil


def drip(pause: float, pieces: int) -> Fault:
    """A byte now and then: a timeout that counts from the last byte never comes."""

    def spoil(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for at in range(min(pieces, len(body))):
            handler.wfile.write(body[at : at + 1])
            handler.wfile.flush()
            time.sleep(pause)
        handler.close_connection = True

    return spoil


def dripping_head(pause: float, lines: int) -> Fault:
    """A header line now and then, and never the last."""

    def spoil(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(lines):
            handler.wfile.write(f"X-{n}: 1\r\n".encode())
            handler.wfile.flush()
            time.sleep(pause)

    return spoil


def until_closed(body: bytes, coding: str | None = None, pause: float = 0.0) -> Fault:
    """A body without a stated length: it ends where the connection does. With a pause it drips."""

    def spoil(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Connection", "close")
        if coding:
            handler.send_header("Content-Encoding", coding)
        handler.end_headers()
        for piece in [body] if not pause else [body[at : at + 1] for at in range(len(body))]:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)

    return spoil


def packed(coding: str, pack: Callable[[bytes], bytes]) -> Fault:
    """The right answer under a Content-Encoding."""

    def spoil(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        answer(handler, 200, pack(body), {"Content-Encoding": coding})

    return spoil


def redirected(where: str) -> Fault:
    """302 to another address."""

    def spoil(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        answer(handler, 302, b"", {"Location": where})

    return spoil


def answer(
    handler: BaseHTTPRequestHandler, code: int, body: bytes, headers: dict[str, str] | None = None
) -> None:
    """A whole answer."""
    handler.send_response(code)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@dataclass
class Script:
    """Which answers are spoiled, in order: the first plan whose text is in the address is used up."""

    plans: list[tuple[str, Fault, int]] = field(default_factory=list)

    def add(self, where: str, fault: Fault, times: int = 1) -> None:
        """Spoil the next `times` answers to addresses that hold `where`."""
        self.plans.append((where, fault, times))

    def next_for(self, address: str) -> Fault | None:
        for at, (where, fault, times) in enumerate(self.plans):
            if where in address:
                if times == 1:
                    del self.plans[at]
                else:
                    self.plans[at] = (where, fault, times - 1)
                return fault
        return None
