"""Asking one publisher for its series: pauses while it does not answer, and a second pass over what failed.

Belongs here: whom to ask next, and when to stop. Does not belong here: one series (`ingest.py`), one request
(`assets/sources/pacing.py`).

Three failures in a row mean that the publisher is in trouble, not a series. Then it is left alone for a while, asked
one small thing until it answers, and the work goes on with the series that failed. All waiting is paid from the
budget of the run, and no publisher may spend more of it than a minute a series. When that is spent and the publisher
does not answer, the rest is not asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from assets.catalog.models import Series
from assets.progress import progress
from assets.raw.headway import Headway
from assets.raw.keeping import Ingested
from assets.sources.pacing import RetryBudget
from assets.sources.protocol import Probed, Source, SourceUnreachable

_IN_A_ROW = 3
_SECONDS_A_SERIES = 60.0  # of the budget: FRED may spend all of it, a file with two series two minutes
_WAITS = (5.0, 10.0, 20.0)  # seconds before each probe of a pause, the last one for all after it
_WAITS_FOR_NOBODY = (5.0, 10.0, 15.0)  # where nothing listens: three probes in half a minute


class Rounds:
    """One publisher in one run. `ask` gives what came of a series; `not_asked` what is booked for one it never was."""

    def __init__(
        self,
        source: Source,
        ask: Callable[[Series], Ingested],
        not_asked: Callable[[Series, str], Ingested],
        budget: RetryBudget,
        headway: Headway,
    ) -> None:
        self._source, self._ask, self._not_asked = source, ask, not_asked
        self._budget, self._headway = budget, headway
        self._failed: dict[str, Ingested] = {}
        self._down: str | None = None
        self._until = budget.spent + _SECONDS_A_SERIES * headway.total
        self._answers = False  # whether the last series that was asked for came
        self._wait = (
            0  # position among the waits; each pause goes on where the last one stopped, until a series comes
        )

    def results(self, series: Sequence[Series]) -> Iterator[Ingested]:
        """What came of every series, each once, as soon as it is final."""
        yield from self._pass(series)
        again = [one.series for one in self._failed.values()]
        if again and self._down is None and self._left > 0.0:
            with self._budget.spending():
                yield from self._second_pass(again)
        yield from self._failed.values()

    def _second_pass(self, series: Sequence[Series]) -> Iterator[Ingested]:
        progress.info(f"{self._headway.name}: {len(series)} series failed and are asked again")
        if self._answers or self._is_back(self._failed[series[-1].series_id]):
            yield from self._pass(series)

    def _pass(self, series: Sequence[Series]) -> Iterator[Ingested]:
        waiting, row, asked_again = deque(series), list[Series](), set[str]()
        while waiting:
            one = waiting.popleft()
            result = self._asked(one)
            if not result.may_pass:
                self._wait, row = 0, []
                yield result
                continue
            row.append(one)
            if len(row) < _IN_A_ROW:
                continue
            if not self._is_back(result):
                for other in waiting:
                    self._failed.setdefault(other.series_id, self._not_asked(other, self._down or ""))
                return
            again = [failed for failed in row if failed.series_id not in asked_again]
            asked_again.update(failed.series_id for failed in again)
            waiting.extendleft(reversed(again))
            row = []

    def _asked(self, series: Series) -> Ingested:
        """What came of a series, with what its earlier attempts took; kept aside when it may pass."""
        before = self._failed.pop(series.series_id, None)
        result = self._ask(series)
        took = result.requests
        if before is not None:
            result.requests += before.requests
            result.seconds += before.seconds
        self._answers = not result.may_pass
        if result.may_pass:
            self._failed[series.series_id] = result
        elif result.status != "unreachable":
            self._budget.has_answered = True
        self._headway.step(took, 0 if result.may_pass else 1)
        return result

    def _is_back(self, failed: Ingested) -> bool:
        """Wait until the publisher answers; False when it counts as down, or when the budget is spent first."""
        failure, refusals = failed.failure, 0
        with self._budget.spending():
            while True:
                self._budget.wait(self._next_wait(failure, refusals))
                if not isinstance(self._source, Probed):
                    return True  # the next series is the probe
                try:
                    self._source.probe()
                except SourceUnreachable as again:
                    failure = again
                    refusals = refusals + 1 if again.nothing_listens else 0
                else:
                    progress.info(f"{self._headway.name}: answers again, going on where it stopped")
                    return True
                if refusals and (refusals >= len(_WAITS_FOR_NOBODY) or self._is_outage):
                    self._budget.has_refused = True
                    return self._count_as_down(f"nothing listens there ({failure})")
                if self._left <= 0.0:
                    return self._count_as_down(
                        f"no answer, and the time for asking again is spent ({failure})"
                    )

    @property
    def _is_outage(self) -> bool:
        """Whether another publisher is known to be down and none has answered: the network is the likely cause."""
        return self._budget.has_refused and not self._budget.has_answered

    @property
    def _left(self) -> float:
        return min(self._budget.left, max(self._until - self._budget.spent, 0.0))

    def _next_wait(self, failure: Exception | None, refusals: int) -> float:
        """Seconds before the next probe, told to whoever looks on."""
        if isinstance(failure, SourceUnreachable) and failure.nothing_listens:
            wait = 0.0 if self._is_outage else _WAITS_FOR_NOBODY[refusals]
        else:
            wait = _WAITS[min(self._wait, len(_WAITS) - 1)]
            self._wait += 1
        asked = failure.retry_after if isinstance(failure, SourceUnreachable) else None
        wait = min(max(wait, asked or 0.0), self._left)
        if wait > 0.0:
            progress.info(
                f"{self._headway.name}: does not answer ({failure}); next try in {wait:.0f} s, "
                f"{self._left:.0f} s left for asking again"
            )
        return wait

    def _count_as_down(self, why: str) -> bool:
        self._down = why
        progress.info(f"{self._headway.name}: counts as down for this run: {why}")
        return False
