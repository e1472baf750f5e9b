"""How we behave towards a publisher's server: no bursts, patience with what passes, an end to what drags on.

Belongs here: pace, retries, the deadline of one conversation. Does not belong here: any publisher's protocol
(`fred_transport.py`, `download.py`), what a failure means for a series.
"""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

Result = TypeVar("Result")
_RANDOM_WAIT = wait_random_exponential(multiplier=1, max=30)


class Transient(Exception):
    """What may pass by itself: one line without secrets. `retry_after` is the wait in seconds the server asks for."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Transient):
    """The server says that we ask too often (429)."""


@dataclass(frozen=True)
class Clock:
    """Time as the process sees it, in seconds; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Pacer:
    """Lets one request start every `1 / per_second` seconds, whatever happened before: saved-up time is lost.

    FRED counts requests per second, so a burst is refused even after a quiet minute. Safe for threads.
    """

    def __init__(self, per_second: float, clock: Clock | None = None) -> None:
        if not 0 < per_second <= 1000:
            raise ValueError(f"{per_second} requests a second is no pace")
        self.interval = 1.0 / per_second
        self._clock = clock or Clock()
        self._next = float("-inf")
        self._turn = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may start."""
        with self._turn:
            missing = self._next - self._clock.monotonic()
            if missing > 0:
                self._clock.sleep(missing)
            self._next = self._clock.monotonic() + self.interval


@dataclass(frozen=True)
class Patience:
    """How often something transient is tried again, and how long a server may make us wait (seconds)."""

    attempts: int = 6
    longest_wait: float = 120.0
    clock: Clock = Clock()

    def brief(self) -> Patience:
        """For a question whose answer nobody needs: asked again once, after a short wait."""
        return replace(self, attempts=min(self.attempts, 2), longest_wait=min(self.longest_wait, 5.0))

    def keep_trying(self, call: Callable[[], Result]) -> Result:
        """The result of `call`, tried again after anything Transient; the last failure is raised as it is."""
        retrying = Retrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            sleep=self.clock.sleep,
            reraise=True,
        )
        return retrying(call)

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome is not None else None
        asked = failure.retry_after if isinstance(failure, Transient) else None
        if asked is not None:
            return min(max(asked, 0.0), self.longest_wait)
        if isinstance(failure, RateLimited):  # a minute's allowance must have room to come back
            return min(2.0**state.attempt_number, self.longest_wait)
        return min(_RANDOM_WAIT(state), self.longest_wait)


class Deadline:
    """Ends a conversation after some seconds, however slowly the other side drips.

    A socket's timeout counts from its last byte, so one byte now and then holds a request for ever. Watched
    sockets are shut from another thread, and whoever reads from them gets an error.
    """

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._guard = threading.Lock()

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """Shut this socket when time is up."""
        with self._guard:
            self._sockets.append(connection)
            if self.has_passed:
                _shut(connection)

    def _end(self) -> None:
        with self._guard:
            self.has_passed = True
            for connection in self._sockets:
                _shut(connection)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # already closed by its owner
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # past TLS, which would wait for the other side


def seconds_asked(header: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds a Retry-After header asks for, given as a number or as a date; None when absent or unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(moment.timestamp() - now(), 0.0)
