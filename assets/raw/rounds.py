"""The order of one publisher's requests: pauses while it does not respond, and a second pass over what failed.

Three failures in a row mean that the publisher is in trouble, not a series. Then the run waits and probes it until it
responds, and goes on with the series that failed. All waits count against the run's retry budget, of which no publisher
may spend more than a minute a series. When that is spent, the remaining series are not requested.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from assets.catalog.models import Series
from assets.progress import SeriesProgress, progress
from assets.sources.pacing import RetryBudget
from assets.sources.protocol import Source, SourceUnreachable

if TYPE_CHECKING:
    from assets.raw.ingest import Ingested

_IN_A_ROW = 3
_SECONDS_A_SERIES = 60.0  # of the budget: FRED may spend all of it, a file with two series two minutes
_WAITS = (5.0, 10.0, 20.0)  # seconds before each probe of a pause; the last one repeats
_WAITS_NOTHING_LISTENS = (5.0, 10.0, 15.0)  # three probes in half a minute


class Rounds:
    """One publisher in one run. `fetch` gives the result of a series, `skip` that of one that is not requested."""

    def __init__(
        self,
        source: Source,
        fetch: Callable[[Series], Ingested],
        skip: Callable[[Series, str], Ingested],
        budget: RetryBudget,
        lines: SeriesProgress,
    ) -> None:
        self._source, self._fetch, self._skip = source, fetch, skip
        self._budget, self._lines = budget, lines
        self._failed: dict[str, Ingested] = {}
        self._down: str | None = None
        self._until = budget.spent + _SECONDS_A_SERIES * lines.total
        self._responds = False  # whether the last request brought its series
        self._wait = 0  # position in _WAITS; a pause goes on where the last one stopped, until a series comes

    def results(self, series: Sequence[Series]) -> Iterator[Ingested]:
        """The result of every series, each once, as soon as it is final."""
        yield from self._pass(series)
        again = [one.series for one in self._failed.values()]
        if again and self._down is None and self._left > 0.0:
            with self._budget.spending():
                progress.info(f"{self._lines.name}: {len(again)} series failed and are requested again")
                if self._responds or self._is_back(self._failed[again[-1].series_id]):
                    yield from self._pass(again)
        yield from self._failed.values()

    def _pass(self, series: Sequence[Series]) -> Iterator[Ingested]:
        waiting, row, repeated = deque(series), list[Series](), set[str]()
        while waiting:
            one = waiting.popleft()
            result = self._attempt(one)
            if not result.may_pass:
                self._wait, row = 0, []
                yield result
                continue
            row.append(one)
            if len(row) < _IN_A_ROW:
                continue
            if not self._is_back(result):
                for other in waiting:
                    self._failed.setdefault(other.series_id, self._skip(other, self._down or ""))
                return
            again = [failed for failed in row if failed.series_id not in repeated]
            repeated.update(failed.series_id for failed in again)
            waiting.extendleft(reversed(again))
            row = []

    def _attempt(self, series: Series) -> Ingested:
        """The result of a series, with what earlier attempts took; kept in `_failed` when a retry may help."""
        before = self._failed.pop(series.series_id, None)
        result = self._fetch(series)
        requests = result.requests
        if before is not None:
            result.requests += before.requests
            result.seconds += before.seconds
        self._responds = not result.may_pass
        if result.may_pass:
            self._failed[series.series_id] = result
        elif result.status != "unreachable":
            self._budget.has_answered = True
        self._lines.step(requests, 0 if result.may_pass else 1)
        return result

    def _is_back(self, failed: Ingested) -> bool:
        """Wait until the publisher responds; False when it is treated as down, or the budget is spent first."""
        failure, refusals = failed.failure, 0
        with self._budget.spending():
            while True:
                self._budget.wait(self._next_wait(failure, refusals))
                try:
                    self._source.probe()
                except SourceUnreachable as again:
                    failure = again
                    refusals = refusals + 1 if again.nothing_listens else 0
                else:
                    progress.info(f"{self._lines.name}: responds again, continuing where it stopped")
                    return True
                if refusals and (refusals >= len(_WAITS_NOTHING_LISTENS) or self._is_outage):
                    self._budget.has_refused = True
                    return self._treat_as_down(f"nothing listens there ({failure})")
                if self._left <= 0.0:
                    return self._treat_as_down(f"no response, and the time for retries is spent ({failure})")

    @property
    def _is_outage(self) -> bool:
        """Whether another publisher is down and none has responded: the network is the likely cause."""
        return self._budget.has_refused and not self._budget.has_answered

    @property
    def _left(self) -> float:
        return min(self._budget.left, max(self._until - self._budget.spent, 0.0))

    def _next_wait(self, failure: Exception | None, refusals: int) -> float:
        """Seconds before the next probe; logged."""
        if isinstance(failure, SourceUnreachable) and failure.nothing_listens:
            wait = 0.0 if self._is_outage else _WAITS_NOTHING_LISTENS[refusals]
        else:
            wait = _WAITS[min(self._wait, len(_WAITS) - 1)]
            self._wait += 1
        requested = failure.retry_after if isinstance(failure, SourceUnreachable) else None
        wait = min(max(wait, requested or 0.0), self._left)
        if wait > 0.0:
            progress.info(
                f"{self._lines.name}: does not respond ({failure}); next try in {wait:.0f} s, "
                f"{self._left:.0f} s left for retries"
            )
        return wait

    def _treat_as_down(self, why: str) -> bool:
        self._down = why
        progress.info(f"{self._lines.name}: treated as down in this run: {why}")
        return False
