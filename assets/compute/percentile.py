"""Rank of a value among its own past, as it was known (methodology, "Point in time").

Belongs here: the percentile. Does not belong here: which way round a rank is hot.
"""

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
