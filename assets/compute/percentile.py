"""Rank of a value among its own past as it was known, and the value that would have a given rank."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assets.compute.reading import Floats


def percentile(
    value: Floats,
    is_month_end: npt.NDArray[np.bool_],
    minimum: int,
    decimals: int,
    past: Floats | None = None,
) -> Floats:
    """Share of lower values plus half of the equal ones, among the month-ends up to each date, its own included.

    Shape: one per grid date, 0 to 1; NaN where the value is absent or fewer than `minimum` values exist. A run date
    that is no month-end ranks among the month-ends plus itself and enters no other row's sample. `past`, shape (dates,
    dates), holds in row i what date i ranks among where that is not `value` itself: the same basis on all dates.
    """
    rounded = np.round(value, decimals)
    n = len(rounded)
    among = np.broadcast_to(rounded, (n, n)) if past is None else np.round(past, decimals)
    member = np.tril(np.broadcast_to(is_month_end, (n, n)))
    np.fill_diagonal(member, True)
    member &= ~np.isnan(among)
    lower = (member & (among < rounded[:, None])).sum(axis=1)
    equal = (member & (among == rounded[:, None])).sum(axis=1)
    count = member.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rank = (lower + 0.5 * equal) / count
    return np.where(np.isnan(rounded) | (count < minimum), np.nan, rank)


def window_start(value: Floats, as_of: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """First date whose value counts in each row's percentile; NaT before the first value."""
    seen = ~np.isnan(value)
    first = as_of[int(np.argmax(seen))] if seen.any() else np.datetime64("NaT", "D")
    return np.where(np.maximum.accumulate(seen), first, np.datetime64("NaT", "D"))


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
        self._size = member.sum(axis=1)
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
        return (lower + 0.5 * (equal + 1)) / (self._size + 1)

    def _nearest(self, history: Floats, rank: Floats) -> Floats:
        """A value counts those below it and half of those it ties with, itself included."""
        wanted = (self._size + 1) * rank
        below = np.ceil(wanted - 0.5 - _EPS)
        possible = ~np.isnan(wanted) & (below <= self._size)
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
