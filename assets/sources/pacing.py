"""Pace and retries: which failures are retried, after what wait, and how much time one run may spend on that."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    wait_exponential,
    wait_random_exponential,
)

from assets.progress import progress

Result = TypeVar("Result")
BUDGET_SECONDS = 900.0
_RANDOM_WAIT = wait_random_exponential(multiplier=1, max=30)
_GROWING_WAIT = wait_exponential(multiplier=2)  # the limit counts requests per minute
_WORTH_A_LINE = 5.0  # seconds of waiting that are reported
_PASSING = {408, 423, 425}  # statuses below 500 that may pass by themselves, besides 429


class Transient(Exception):
    """A failure that may pass: one line without secrets. `retry_after` is the wait (seconds) the server requests."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Transient):
    """Too many requests (429)."""


class NothingListens(Transient):
    """There is no server: the connection is refused, or there is no network."""


class Permanent(Exception):
    """A failure that a retry would not change: one line without secrets."""


class NotThere(Permanent):
    """The server has no such file (404, 410)."""


@dataclass(frozen=True)
class Clock:
    """Time in seconds; tests have their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Pacer:
    """Lets one request start every `1 / per_second` seconds.

    Idle time is not saved up: FRED counts requests per second, so a burst is refused even after a quiet minute.
    """

    def __init__(self, per_second: float, clock: Clock | None = None) -> None:
        if not 0 < per_second <= 1000:
            raise ValueError(f"{per_second} requests a second is no pace")
        self.interval = 1.0 / per_second
        self._clock = clock or Clock()
        self._next = float("-inf")

    def wait(self) -> None:
        """Return when the next request may start."""
        missing = self._next - self._clock.monotonic()
        if missing > 0:
            self._clock.sleep(missing)
        self._next = self._clock.monotonic() + self.interval


class RetryBudget:
    """Seconds that one run may spend on waits and retries, shared by its publishers. First requests cost nothing.

    `has_answered`, `has_refused`: whether any publisher has responded in this run, and whether any was treated as down
    because nothing listens.
    """

    def __init__(self, seconds: float = BUDGET_SECONDS, clock: Clock | None = None) -> None:
        self.seconds = seconds
        self.has_answered = self.has_refused = False
        self._clock = clock or Clock()
        self._spent = 0.0
        self._since: float | None = None

    @property
    def spent(self) -> float:
        """Seconds spent so far."""
        running = 0.0 if self._since is None else self._clock.monotonic() - self._since
        return self._spent + running

    @property
    def left(self) -> float:
        """Seconds left; 0 when all are spent."""
        return max(self.seconds - self.spent, 0.0)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """The time of the block is counted; once, for a block inside another one."""
        if self._since is not None:
            yield
            return
        self._since = self._clock.monotonic()
        try:
            yield
        finally:
            self._spent, self._since = self.spent, None

    def wait(self, seconds: float) -> None:
        """Sleep, at most as long as the budget lasts."""
        with self.spending():
            self._clock.sleep(min(seconds, self.left))


@dataclass(frozen=True)
class RetryPolicy:
    """How often a transient failure is retried, and the longest wait (seconds) a server may impose.

    With a budget, waits and retries count against it, and there are none when it is spent.
    """

    attempts: int = 6
    longest_wait: float = 120.0
    clock: Clock = Clock()
    budget: RetryBudget | None = None

    def brief(self) -> RetryPolicy:
        """For a probe: one retry after a short wait."""
        return replace(self, attempts=min(self.attempts, 2), longest_wait=min(self.longest_wait, 5.0))

    def call(self, function: Callable[[], Result]) -> Result:
        """The result of `function`, retried after anything Transient but NothingListens; raises the last failure."""
        budget = self.budget or RetryBudget(math.inf, self.clock)
        retrying = Retrying(
            retry=retry_if_exception_type(Transient) & retry_if_not_exception_type(NothingListens),
            stop=lambda state: state.attempt_number >= self.attempts or budget.left <= 0.0,
            wait=self._wait,
            before_sleep=self._report,
            sleep=budget.wait,
            reraise=True,
        )
        for attempt in retrying:
            with attempt, budget.spending() if attempt.retry_state.attempt_number > 1 else nullcontext():
                return function()
        raise AssertionError("unreachable")

    def _report(self, state: RetryCallState) -> None:
        wait = state.next_action.sleep if state.next_action is not None else 0.0
        if wait >= _WORTH_A_LINE and state.outcome is not None:
            left = "" if self.budget is None else f", {self.budget.left:.0f} s left for retries"
            progress.info(f"{state.outcome.exception()}; next try in {wait:.0f} s{left}")

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome is not None else None
        if isinstance(failure, Transient) and failure.retry_after is not None:
            return min(max(failure.retry_after, 0.0), self.longest_wait)
        wait = _GROWING_WAIT if isinstance(failure, RateLimited) else _RANDOM_WAIT
        return min(wait(state), self.longest_wait)


def refusal(status: int, message: str, retry_after: float | None = None) -> Transient | Permanent:
    """The failure a status other than 200 means: transient for too many requests or a server in trouble."""
    if status == 429:
        return RateLimited(message, retry_after)
    if status in _PASSING or status >= 500:
        return Transient(message, retry_after)
    return NotThere(message) if status in (404, 410) else Permanent(message)


def retry_after_seconds(header: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds of a Retry-After header, a number or a date; None when missing or unreadable."""
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
