"""Which value would have had a given rank: the percentile read backwards, against the same history.

Belongs here: the inverse of `compute/percentile.py`. Does not belong here: why a rank is wanted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assets.compute.reading import Floats

_EPS = 1e-9


class RankInverse:
    """The history of one value, date by date: month-ends before each date, without the date's own value.

    `past`: the values of all dates, or in row i, shape (dates, dates), those of the basis that date i uses.
    """

    def __init__(self, past: Floats, is_month_end: npt.NDArray[np.bool_], decimals: int) -> None:
        n = len(past)
        rounded = np.broadcast_to(np.round(past, decimals), (n, n))
        member = np.tril(is_month_end & ~np.isnan(rounded), k=-1)
        self._up = np.sort(np.where(member, rounded, np.inf), axis=1)
        self._down = np.sort(np.where(member, -rounded, np.inf), axis=1)
        self._held = member.sum(axis=1)
        self._step, self._decimals = 10.0**-decimals, decimals

    def value_at_least(self, rank: Floats) -> Floats:
        """Smallest value whose rank would be `rank` or more on each date; NaN where even the largest is not enough."""
        return self._nearest(self._up, rank)

    def value_at_most(self, rank: Floats) -> Floats:
        """Largest value whose rank would be `rank` or less on each date; NaN where even the smallest is too much."""
        return -self._nearest(self._down, 1.0 - rank)

    def rank_of(self, value: Floats) -> Floats:
        """Rank each date's history would give a value."""
        lower, equal = self._count(self._up, value)
        return (lower + 0.5 * (equal + 1)) / (self._held + 1)

    def _nearest(self, history: Floats, rank: Floats) -> Floats:
        """A value counts those below it and half of those it ties with, itself included."""
        wanted = (self._held + 1) * rank
        below = np.ceil(wanted - 0.5 - _EPS)
        possible = ~np.isnan(wanted) & (below <= self._held)
        position = np.clip(np.nan_to_num(below) - 1, 0, history.shape[1] - 1).astype("int64")
        tie = history[np.arange(len(history)), position]
        lower, equal = self._count(history, tie)
        enough = lower + 0.5 * (equal + 1) >= wanted - _EPS
        found = np.round(np.where(enough, tie, tie + self._step), self._decimals)
        found = np.where(below <= 0, -np.inf, found)  # any value would do
        return np.where(possible, found, np.nan)

    def _count(self, history: Floats, value: Floats) -> tuple[Floats, Floats]:
        lower = (history < value[:, None] - self._step / 2).sum(axis=1)
        up_to = (history < value[:, None] + self._step / 2).sum(axis=1)
        return lower.astype("float64"), (up_to - lower).astype("float64")
