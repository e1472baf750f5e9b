"""How we behave towards a publisher's server: which failures are asked again, after what wait, at what pace."""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random_exponential,
)

Result = TypeVar("Result")
_RANDOM_WAIT = wait_random_exponential(multiplier=1, max=30)
_GROWING_WAIT = wait_exponential(multiplier=2)  # a minute's allowance must have room to come back
_PASSING = {408, 423, 425}  # statuses below 500 that may pass by themselves, besides 429


class Transient(Exception):
    """What may pass by itself: one line without secrets. `retry_after` is the wait in seconds the server asks for."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Transient):
    """The server says that we ask too often (429)."""


class Permanent(Exception):
    """What asking again would not change: one line without secrets."""


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
        if isinstance(failure, Transient) and failure.retry_after is not None:
            return min(max(failure.retry_after, 0.0), self.longest_wait)
        wait = _GROWING_WAIT if isinstance(failure, RateLimited) else _RANDOM_WAIT
        return min(wait(state), self.longest_wait)


def refusal(status: int, message: str, retry_after: float | None = None) -> Transient | Permanent:
    """What a status other than 200 means: passing, for too many requests or a server in trouble, or not."""
    if status == 429:
        return RateLimited(message, retry_after)
    if status in _PASSING or status >= 500:
        return Transient(message, retry_after)
    return Permanent(message)


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
