"""An archive cut at a day, and an archive without hindsight's opposite: today's figures put in place of the first ones.

Belongs here: making one archive from another. Does not belong here: looking figures up (`archive.py`), what is
computed from either.
"""

from __future__ import annotations

import numpy as np

from assets.compute.archive import BITS, EPOCH, Archive, Rows

_START = (1 << BITS) - 1


def cut(archive: Archive, day: np.datetime64) -> Archive:
    """The vintages the world could know by `day`, and no other row: what begins later is not in it at all."""
    last = np.int64(day.astype("datetime64[D]").astype("int64") + EPOCH)
    return _kept(archive, (archive.key & _START) <= last, archive.value)


def captured_by(archive: Archive, moment: int) -> Archive:
    """The vintages held at a moment (microseconds UTC): the archive as it was then."""
    return _kept(archive, archive.captured <= moment, archive.value)


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
    present = set(np.unique(key >> (2 * BITS)).tolist())
    codes = {series_id: code for series_id, code in archive.codes.items() if code in present}
    return Archive.from_keys(codes, key, value[keep], archive.captured[keep], archive.source[keep])
