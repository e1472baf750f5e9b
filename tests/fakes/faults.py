"""Faults between a publisher and us: each replaces one response of a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]  # given the body it replaces

HTML = b"<!DOCTYPE html><html><head><title>503</title></head><body>Service <b>Unavailable</body></html>"
TOO_MANY = b'<?xml version="1.0"?><error code="429" message="Too Many Requests.  Exceeded Rate Limit"/>'


def answer(
    handler: BaseHTTPRequestHandler, code: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """A complete response; of a HEAD its beginning."""
    handler.send_response(code)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    if code != 304:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def status(code: int, retry_after: str | None = None, body: bytes = b"") -> Fault:
    """Another status, with a body."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return lambda handler, _: answer(handler, code, body, headers)


def html(code: int = 503) -> Fault:
    """The error page of a proxy."""
    return status(code, body=HTML)


def too_many(retry_after: str | None = None) -> Fault:
    """FRED's response to too many requests."""
    return status(429, retry_after, TOO_MANY)


def empty() -> Fault:
    """200 and nothing."""
    return status(200)


def redirected(where: str) -> Fault:
    """302 to another address."""
    return lambda handler, _: answer(handler, 302, b"", {"Location": where})


def cut_short(share: float = 0.5) -> Fault:
    """Part of the body, with a length that agrees: only the body's grammar shows it."""
    return lambda handler, body: answer(handler, 200, body[: int(len(body) * share)])


def replaced(old: bytes, new: bytes) -> Fault:
    """The right response with a piece of it exchanged."""
    return lambda handler, body: answer(handler, 200, body.replace(old, new, 1))


def packed(coding: str, pack: Callable[[bytes], bytes]) -> Fault:
    """The right response under a Content-Encoding."""
    return lambda handler, body: answer(handler, 200, pack(body), {"Content-Encoding": coding})


def truncated(code: int = 200, body: bytes | None = None) -> Fault:
    """The header promises the full body, half of it arrives."""

    def spoil(handler: BaseHTTPRequestHandler, served: bytes) -> None:
        sent = served if body is None else body
        _send_slowly(handler, code, sent[: len(sent) // 2], 0.0, {"Content-Length": str(len(sent))})

    return spoil


def drip(pause: float, pieces: int) -> Fault:
    """A byte now and then: a timeout that restarts with every byte never ends."""

    def spoil(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        _send_slowly(handler, 200, body[:pieces], pause, {"Content-Length": str(len(body))})

    return spoil


def until_closed(body: bytes, coding: str | None = None, pause: float = 0.0) -> Fault:
    """A body without a stated length: it ends where the connection does. With a pause it drips."""
    headers = {"Connection": "close", **({"Content-Encoding": coding} if coding else {})}
    return lambda handler, _: _send_slowly(handler, 200, body, pause, headers)


def _send_slowly(
    handler: BaseHTTPRequestHandler, code: int, body: bytes, pause: float, headers: Mapping[str, str]
) -> None:
    """A body, byte by byte if there is a pause; then the connection ends."""
    handler.close_connection = True
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    for piece in [body[at : at + 1] for at in range(len(body))] if pause else [body]:
        handler.wfile.write(piece)
        handler.wfile.flush()
        time.sleep(pause)


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


def dropped() -> Fault:
    """The connection is closed without a response."""

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


@dataclass
class Script:
    """Which responses are replaced, in order: the first plan whose text is in the address is used up."""

    plans: list[tuple[str, Fault, int]] = field(default_factory=list)

    def add(self, where: str, fault: Fault, times: int = 1) -> None:
        """Replace the next `times` responses to addresses that contain `where`."""
        self.plans.append((where, fault, times))

    def next_for(self, address: str) -> Fault | None:
        for at, (where, fault, times) in enumerate(self.plans):
            if where in address:
                self.plans[at : at + 1] = [(where, fault, times - 1)] if times > 1 else []
                return fault
        return None
