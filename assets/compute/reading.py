"""A reading: one quantity on every as-of date with where each figure came from; and one on several bases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from assets.compute.calendar import NAT, Days

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Reading:
    """One value per as-of date. Where `value` is NaN, `absent_reason` says why, and the dates are NaT.

    `observation_date` is the oldest period among the inputs, `available_on` the day the last of them became public,
    `source` the weakest kind of vintage used (index into `archive.SOURCES`), `is_pseudo` whether an input that gets
    revised was reconstructed by lag rule.
    """

    value: Floats
    observation_date: Days
    available_on: Days
    source: npt.NDArray[np.int8]
    is_pseudo: npt.NDArray[np.bool_]
    series_ids: Texts
    absent_reason: Texts

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where there is a value."""
        return ~np.isnan(self.value)

    def where(self, keep: npt.NDArray[np.bool_], reason: str) -> Reading:
        """The same reading, absent for `reason` where `keep` is false and a value was there."""
        drop = self.present & ~keep
        return _masked(self, self.value, texts(drop, reason, self.absent_reason), keep & self.present)

    def rows(self, which: slice) -> Reading:
        """The reading of some of its dates."""
        return Reading(*(getattr(self, field.name)[which] for field in fields(self)))

    def map(self, formula: Callable[[Floats], Floats]) -> Reading:
        """The same provenance with another value: a change of unit or a transformation."""
        return combine(formula, self)


def _masked(like: Reading, value: Floats, reason: Texts, present: npt.NDArray[np.bool_]) -> Reading:
    return Reading(
        np.where(present, value, np.nan),
        np.where(present, like.observation_date, NAT),
        np.where(present, like.available_on, NAT),
        np.where(present, like.source, 0).astype("int8"),
        like.is_pseudo & present,
        like.series_ids,
        texts(present, None, reason),
    )


def combine(formula: Callable[..., Floats], *inputs: Reading) -> Reading:
    """`formula` over the values, present only where every input is; the first absent input gives the reason."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(formula(*(r.value for r in inputs)), dtype="float64")
    present = np.logical_and.reduce([r.present for r in inputs])
    reason = inputs[0].absent_reason.copy()
    for r in inputs[1:]:
        reason = texts(is_none(reason), r.absent_reason, reason)
    undefined = present & ~np.isfinite(value)
    reason = texts(undefined, "undefined", reason)
    like = Reading(
        value,
        np.minimum.reduce([r.observation_date for r in inputs]),
        np.maximum.reduce([r.available_on for r in inputs]),
        np.maximum.reduce([r.source for r in inputs]),
        np.logical_or.reduce([r.is_pseudo for r in inputs]),
        join_ids([r.series_ids for r in inputs]),
        reason,
    )
    return _masked(like, value, reason, present & ~undefined)


def percent(part: Floats, whole: Floats) -> Floats:
    """One level in percent of another."""
    return 100.0 * part / whole


def billions(millions: Floats) -> Floats:
    """Millions in billions."""
    return millions / 1000.0


def splice(primary: Reading, fallback: Reading, *, from_start: bool = False) -> Reading:
    """`primary` where present, else `fallback`.

    With `from_start` the fallback serves only before the primary's first value: once the better series exists, its
    absence is an absence and not a reason to go back.
    """
    use_primary = primary.present.copy()
    if from_start and use_primary.any():
        use_primary[int(np.argmax(use_primary)) :] = True
    return select(use_primary, primary, fallback)


def select(condition: npt.NDArray[np.bool_], yes: Reading, no: Reading) -> Reading:
    """`yes` where the condition holds, else `no`, provenance included."""
    names = [field.name for field in fields(Reading)]
    return Reading(*(np.where(condition, getattr(yes, name), getattr(no, name)) for name in names))


def texts(where: npt.NDArray[np.bool_], yes: object, no: object = None) -> Texts:
    """`yes` where the condition holds, else `no`; both may be one object or one per row, None included."""
    out = np.empty(len(where), dtype=object)
    out[:] = no
    chosen = np.empty(len(where), dtype=object)
    chosen[:] = yes
    out[where] = chosen[where]
    return out


def is_none(values: Texts) -> npt.NDArray[np.bool_]:
    """Where an object array holds None."""
    return np.array([value is None for value in values], dtype=bool)


def absent(n: int, series_ids: str, reason: str) -> Reading:
    """A reading without any value."""
    return Reading(
        np.full(n, np.nan),
        np.full(n, NAT),
        np.full(n, NAT),
        np.zeros(n, dtype="int8"),
        np.zeros(n, dtype=bool),
        np.full(n, series_ids, dtype=object),
        np.full(n, reason, dtype=object),
    )


def join_ids(parts: Sequence[Texts]) -> Texts:
    """Comma-separated union of series ids, row by row, in the order first named."""
    cache: dict[tuple[str, ...], str] = {}

    def joined(key: tuple[str, ...]) -> str:
        if key not in cache:
            cache[key] = ",".join(dict.fromkeys(i for ids in key for i in ids.split(",")))
        return cache[key]

    out = np.empty(len(parts[0]), dtype=object)
    out[:] = [joined(key) for key in zip(*parts, strict=True)]
    return out


EARNINGS = ("ttm", "nipa")  # reported earnings where they are known, else the national accounts
PRICES = (
    "sp_composite",
    "oecd_shares",
    "z1_market_value",
)  # the newest period end wins, of equal ones the first
# Columns that take one of several bases per row, with the columns that hold each basis on every date.
ON_BASES: Mapping[str, Sequence[str]] = {
    f"equity_risk_premium.{name}_{unit}": [f"equity_risk_premium.{name}_{basis}_{unit}" for basis in bases]
    for name, unit, bases in (
        ("earnings_yield", "pct", EARNINGS),
        ("erp_vs_nominal_10y", "pp", EARNINGS),
        ("erp_vs_real_10y", "pp", EARNINGS),
        ("equity_return_12m", "pct", PRICES),
    )
}


@dataclass(frozen=True)
class Bases:
    """One quantity measured on several bases; each date uses one, and ranks among that one's own past.

    `readings`: every basis on all dates, by name. `used`: position of the one each date uses.
    """

    readings: Mapping[str, Reading]
    used: npt.NDArray[np.int64]

    @classmethod
    def first_present(cls, readings: Mapping[str, Reading]) -> Bases:
        """Each date uses the first basis that has a value; where none has one, the last basis gives the reason."""
        present = np.stack([reading.present for reading in readings.values()])
        return cls(readings, np.where(present.any(axis=0), present.argmax(axis=0), len(readings) - 1))

    @classmethod
    def of_selected(cls, selected: Reading, readings: Mapping[str, Reading]) -> Bases:
        """The bases of a stored reading: no two bases name the same series, so its series identify the basis."""
        same = np.stack([reading.series_ids == selected.series_ids for reading in readings.values()])
        return cls(readings, same.argmax(axis=0))

    @property
    def selected(self) -> Reading:
        """On each date the reading of the basis it uses."""
        first, *others = self.readings.values()
        chosen = first
        for position, reading in enumerate(others, start=1):
            chosen = select(self.used == position, reading, chosen)
        return chosen

    @property
    def names(self) -> Texts:
        """Name of the basis of each date; None where it has no value."""
        return texts(self.selected.present, np.array(list(self.readings), dtype=object)[self.used])

    @property
    def past(self) -> Floats:
        """Row by row the values, on all dates, of the basis that date uses: shape (dates, dates)."""
        values: Floats = np.stack([reading.value for reading in self.readings.values()])[self.used]
        return values

    def map(self, formula: Callable[[Reading], Reading]) -> Bases:
        """Another quantity on the same bases."""
        return replace(self, readings={name: formula(reading) for name, reading in self.readings.items()})
