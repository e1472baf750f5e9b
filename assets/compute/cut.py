"""What was captured by a moment, an archive cut at a day, and one with today's figures in place of the first ones.

Belongs here: making one archive from another. Does not belong here: looking figures up (`archive.py`), what is
computed from either.

The order is fixed: first the cut by capture, then `resolve`, then the cut at a day.
"""

from __future__ import annotations

import numpy as np

from assets.compute.archive import BITS, EPOCH, Archive, Captures, Rows, codes_in

_START = (1 << BITS) - 1


def cut(archive: Archive, day: np.datetime64) -> Archive:
    """The vintages the world could know by `day`, and no other row: what begins later is not in it at all."""
    last = np.int64(day.astype("datetime64[D]").astype("int64") + EPOCH)
    return _kept(archive, (archive.key & _START) <= last, archive.value)


def captured_by(captures: Captures, moment: int) -> Captures:
    """What had been captured by a moment (microseconds UTC); `resolve` gives the archive as it was read then."""
    return captures.take(captures.captured <= moment)


def as_revised(archive: Archive) -> Archive:
    """One vintage per observation: known since its first publication, with the value that stands today."""
    observation = archive.key >> BITS
    is_first = np.ones(len(observation), dtype=bool)
    is_first[1:] = observation[1:] != observation[:-1]
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(observation)) - 1
    newest = archive.value.copy()
    newest[first] = archive.value[last]
    return _kept(archive, is_first, newest)


def has_revisions(archive: Archive) -> bool:
    """Whether any observation is held in more than one vintage."""
    observation = archive.key >> BITS
    return bool((observation[1:] == observation[:-1]).any())


def _kept(archive: Archive, keep: np.ndarray, value: np.ndarray) -> Archive:
    key: Rows = archive.key[keep]
    return Archive(
        codes_in(key, archive.codes), key, value[keep], archive.captured[keep], archive.source[keep]
    )
