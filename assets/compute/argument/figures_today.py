"""An archive of today's figures: every observation with the value that stands now, known since it first appeared.

Belongs here: archives made of another archive. Does not belong here: what is computed from them (`revised.py`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assets.compute.archive import BITS, EPOCH, Archive, codes_in
from assets.compute.grid import Grid

_START = (1 << BITS) - 1


def todays_figures(held: Archive, run_date: np.datetime64) -> Archive:
    """One vintage per observation: what stands on the run date. What was withdrawn stays missing."""
    known = (held.key & _START) - EPOCH <= run_date.astype("int64")
    key, observation = held.key[known], held.key[known] >> BITS
    codes = codes_in(key, held.codes)
    if not len(key):
        return Archive(codes, key, held.value[known], held.captured[known], held.source[known])
    changes = observation[1:] != observation[:-1]
    first, last = np.concatenate([[True], changes]), np.concatenate([changes, [True]])
    value, captured, source = held.value[known], held.captured[known], held.source[known]
    return Archive(codes, key[first], value[last], captured[last], source[last])


def with_series_of(held: Archive, other: Archive, series_id: str) -> Archive:
    """`held` with the vintages of one series taken from `other`, which holds the same series."""
    code = held.codes[series_id]
    limits = [code << (2 * BITS), (code + 1) << (2 * BITS)]
    (first, last), (start, end) = np.searchsorted(held.key, limits), np.searchsorted(other.key, limits)

    def spliced(own: npt.NDArray, others: npt.NDArray) -> npt.NDArray:
        return np.concatenate([own[:first], others[start:end], own[last:]])

    return Archive(
        held.codes,
        spliced(held.key, other.key),
        spliced(held.value, other.value),
        spliced(held.captured, other.captured),
        spliced(held.source, other.source),
    )


def seen_otherwise(held: Archive, grid: Grid) -> list[str]:
    """Series of which some grid date sees a figure other than today's.

    Of any other series every grid date sees the same figures in `held` as in `todays_figures`, so that nothing
    computed from them can differ.
    """
    start = (held.key & _START) - EPOCH
    known = start <= grid.as_of[-1].astype("int64")
    key, start, value = held.key[known], start[known], held.value[known]
    observation = key >> BITS
    is_last = np.append(observation[1:] != observation[:-1], True)[: len(key)]
    stands = value[is_last][np.cumsum(is_last) - is_last]
    as_of = grid.as_of.astype("int64")
    # the grid dates that see a vintage are those before its successor's
    first = np.searchsorted(as_of, start)
    until = np.where(is_last, len(grid), np.append(first[1:], len(grid))[: len(key)])
    differs = (value != stands) & ~(np.isnan(value) & np.isnan(stands))
    codes = set(np.unique(key[differs & (first < until)] >> (2 * BITS)).tolist())
    return [series_id for series_id, code in held.codes.items() if code in codes]


def revised_series(held: Archive) -> list[str]:
    """Series of which some observation has had more than one value."""
    same = (held.key[1:] >> BITS) == (held.key[:-1] >> BITS)
    equal = (held.value[1:] == held.value[:-1]) | (np.isnan(held.value[1:]) & np.isnan(held.value[:-1]))
    codes = set(np.unique(held.key[1:][same & ~equal] >> (2 * BITS)).tolist())
    return [series_id for series_id, code in held.codes.items() if code in codes]
