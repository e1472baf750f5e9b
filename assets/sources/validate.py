"""Judging a payload before it touches the warehouse: the whole of it is accepted, or none.

Belongs here: the rules a served series must satisfy, each with a name people see. Does not belong here:
reading text (`parse.py`), the vocabulary of units (`units.py`), rules between series or tables (`checks`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.sources.parse import COLUMNS
from assets.sources.protocol import Payload, PayloadRefused, Rule
from assets.sources.units import base_years

_SHOWN = 3
_FIRST_DAY = np.datetime64(
    "1776-07-04", "s"
)  # the earliest day FRED takes; a date before it is a misread one
# what a complete answer may lack as withdrawals: this many, or this share of the observations served before or of the
# vintages held
_WITHDRAWN_ROWS, _WITHDRAWN_SHARE = 3, 0.01
# Days between neighbouring observations: (shortest gap allowed, range of the median gap).
_SPACING = {"D": (1, (1, 4)), "W": (6, (7, 7)), "M": (28, (28, 31)), "Q": (89, (89, 92))}


class LastFetch(Protocol):
    """What is remembered of the last accepted fetch of a series (`assets/warehouse/fetches.py`)."""

    @property
    def unit_kind(self) -> str | None: ...
    @property
    def rows_served(self) -> int | None: ...
    @property
    def held_first(self) -> dt.date | None: ...


@dataclass(frozen=True)
class _Judgement:
    payload: Payload
    series: Series
    today: dt.date
    last: LastFetch | None

    def refuse(self, rule: Rule, detail: str, way_out: str | None = None) -> PayloadRefused:
        p = self.payload
        return PayloadRefused(rule, p.series_id, p.where, detail, way_out or "check it against the publisher")

    @property
    def catalog_file(self) -> str:
        return f"assets/catalog/series/{self.series.group}.toml"


def validate(payload: Payload, series: Series, today: dt.date, last_fetch: LastFetch | None) -> list[str]:
    """Warnings about a payload that may enter the warehouse; empty when there is nothing to say.

    `today` is the source's own day: the day of the fetch, or the sample's as-of date. `last_fetch` is the
    last accepted complete fetch, None before the first. Raises PayloadRefused, naming the first rule
    broken.
    """
    judgement = _Judgement(payload, series, today, last_fetch)
    for rule in (_is_in_its_unit,) if payload.is_unchanged else _RULES:
        rule(judgement)
    return _warnings(judgement)


def keeps_its_vintages(payload: Payload, missing: int, held: int) -> None:
    """Refuse a complete answer that lacks more vintages than a publisher takes back.

    `missing` of the `held` real vintages inside the span of the answer are not in it. Raises PayloadRefused: an answer
    cut short between its ends would have vintages retracted that the publisher still lists.
    """
    if missing > _withdrawals(held):
        detail = f"{missing} of the {held} vintages held inside its span are not in it"
        way_out = (
            "asked for again on a later night; if they were removed for good, load into a new REGIME_DATA_DIR"
        )
        raise PayloadRefused("vintages_missing", payload.series_id, payload.where, detail, way_out)


def _withdrawals(before: int) -> int:
    return max(_WITHDRAWN_ROWS, int(_WITHDRAWN_SHARE * before))


def _has_the_columns(j: _Judgement) -> None:
    missing = [name for name in COLUMNS if name not in j.payload.observations.columns]
    if missing:
        raise j.refuse("missing_column", f"no column {missing[0]!r}")


def _has_figures(j: _Judgement) -> None:
    rows = j.payload.observations
    is_holiday = len(rows) > 0 and not j.payload.is_complete  # a night may bring nothing but a missing figure
    if rows["value"].isna().all() and not is_holiday:
        raise j.refuse("empty_file", f"{len(j.payload.observations)} rows and no figure among them")


def _has_numbers(j: _Judgement) -> None:
    value = j.payload.observations["value"]
    if not pd.api.types.is_float_dtype(value):
        raise j.refuse("not_a_number", f"the values are {value.dtype}, not numbers")
    _refuse_rows(j, "not_a_number", np.isinf(value.to_numpy()), "is no finite number")


def _has_dates(j: _Judgement) -> None:
    for name in ("observation_date", "realtime_start"):
        if not pd.api.types.is_datetime64_dtype(j.payload.observations[name]):
            raise j.refuse("not_a_date", f"{name} holds {j.payload.observations[name].dtype}, not dates")
    undated = int(j.payload.observations["observation_date"].isna().sum())
    if undated:
        raise j.refuse("not_a_date", f"{undated} rows have no observation date")


def _has_each_key_once(j: _Judgement) -> None:
    twice = j.payload.observations.duplicated(["observation_date", "realtime_start"])
    if twice.any():
        shown = sorted({_day(date) for date in j.payload.observations.loc[twice, "observation_date"]})
        raise j.refuse("duplicate_key", f"{int(twice.sum())} rows repeat a date: {_some(shown)}")


def _is_of_the_past(j: _Judgement) -> None:
    for name in ("observation_date", "realtime_start"):
        dates = j.payload.observations[name]
        later = dates[dates > np.datetime64(j.today, "s")]
        if len(later):
            shown = sorted({_day(date) for date in later})
            raise j.refuse("future_date", f"{len(later)} rows have {name} after {j.today}: {_some(shown)}")


def _is_not_before_time(j: _Judgement) -> None:
    dates = j.payload.observations["observation_date"]
    early = dates[dates < _FIRST_DAY]
    if len(early):
        shown = sorted({str(date)[:10] for date in early.to_numpy().astype("datetime64[D]")})
        raise j.refuse("impossible_date", f"{len(early)} rows are about days before 1776: {_some(shown)}")


def _is_in_its_unit(j: _Judgement) -> None:
    stated, series = j.payload.unit_kind, j.series
    if stated is None:
        return
    if stated != series.unit_kind:
        detail = f"the publisher says {j.payload.unit!r} ({stated}), the catalogue {series.unit_kind}"
        raise j.refuse("unit_changed", detail, f"check the level, then {j.catalog_file}")
    if j.last is not None and j.last.unit_kind is not None and j.last.unit_kind != stated:
        detail = f"the publisher says {j.payload.unit!r} ({stated}), at the last fetch {j.last.unit_kind}"
        raise j.refuse("unit_changed", detail, "figures already in the archive are in the former unit")


def _is_plausible(j: _Judgement) -> None:
    low, high = j.series.plausible_min, j.series.plausible_max
    # an earlier vintage may be in the base year of its day
    standing = ~j.payload.observations.sort_values("realtime_start").duplicated(
        "observation_date", keep="last"
    )
    value = j.payload.observations["value"].to_numpy()
    outside = standing.sort_index().to_numpy() & ((value < low) | (value > high))
    way_out = f"check the file, or the range in {j.catalog_file}"
    _refuse_rows(j, "implausible_value", outside, f"is outside {low:g}..{high:g}", way_out)


def _keeps_its_frequency(j: _Judgement) -> None:
    stated, expected = j.payload.frequency_code, j.series.frequency
    if stated is not None and stated != expected:
        detail = f"the publisher says {j.payload.frequency!r} ({stated}), the catalogue {expected}"
        raise j.refuse("frequency_changed", detail)
    days = np.unique(j.payload.observations["observation_date"].to_numpy().astype("datetime64[D]"))
    if j.series.is_step or len(days) < 3:
        return
    gaps = np.diff(days).astype("int64")
    shortest, (low, high) = _SPACING[expected]
    if gaps.min() < shortest:
        at = days[1:][gaps < shortest]
        detail = f"{len(at)} dates come less than {shortest} days after the one before (frequency {expected})"
        raise j.refuse("frequency_changed", f"{detail}: {_some(at.astype(str))}")
    # what changed since yesterday may lie years apart
    if j.payload.is_complete and not low <= np.median(gaps) <= high:
        detail = f"dates are {np.median(gaps):g} days apart, expected {low} to {high} (frequency {expected})"
        raise j.refuse("frequency_changed", detail)


def _is_not_shorter(j: _Judgement) -> None:
    if j.series.served_window_years is not None or not j.payload.is_complete:
        return
    rows = j.payload.observations["observation_date"].nunique()
    expected = j.payload.rows_expected
    if expected is not None and rows < expected:
        raise j.refuse("shorter_than_before", f"{rows} observations, its provenance says {expected}")
    before = j.last.rows_served if j.last is not None else None
    if before is not None and before - rows > _may_be_withdrawn(j, before):
        raise j.refuse("shorter_than_before", f"{rows} observations, the last fetch had {before}")


def _may_be_withdrawn(j: _Judgement, before: int) -> int:
    """Observations a publisher may have taken back since; none when the beginning of the history is missing."""
    first = j.last.held_first if j.last is not None else None
    if first is not None and j.payload.observations["observation_date"].min() > pd.Timestamp(first):
        return 0
    return _withdrawals(before)


# The order decides which rule is named when several are broken: a changed unit explains odd values.
_RULES: tuple[Callable[[_Judgement], None], ...] = (
    _has_the_columns, _has_numbers, _has_figures, _has_dates, _has_each_key_once, _is_of_the_past, _is_not_before_time,
    _is_in_its_unit, _is_plausible, _keeps_its_frequency, _is_not_shorter,
)  # fmt: skip


def _warnings(j: _Judgement) -> list[str]:
    found = [_unit_warning(j), _window_warning(j)]
    return [f"{j.series.series_id}: {text}" for text in (*found, *j.payload.notes) if text is not None]


def _unit_warning(j: _Judgement) -> str | None:
    text, declared = j.payload.unit, base_years(j.series.unit)
    if text is None:
        return None
    if j.payload.unit_kind is None:
        return f"unit text {text!r} is not understood; the level is plausible"
    if base_years(text) and declared and base_years(text) != declared:
        return f"base year changed: {text!r}, the catalogue says {j.series.unit!r}"
    return None


def _window_warning(j: _Judgement) -> str | None:
    if j.last is None or j.last.held_first is None or not j.payload.is_complete:
        return None
    served = j.payload.observations["observation_date"].min()
    if served <= pd.Timestamp(j.last.held_first):
        return None
    return f"served from {_day(served)} only; the archive keeps its figures since {j.last.held_first}"


def _refuse_rows(
    j: _Judgement, rule: Rule, wrong: np.ndarray, detail: str, way_out: str | None = None
) -> None:
    """Refuse when any row is wrong: how many, and the first few by date."""
    if not wrong.any():
        return
    rows = j.payload.observations[wrong].sort_values("observation_date")
    pairs = zip(rows["value"], rows["observation_date"], strict=True)
    shown = [f"{value} on {_day(date)}" for value, date in pairs]
    count = f"{len(shown)} rows: " if len(shown) > 1 else ""
    raise j.refuse(rule, f"{count}{_some(shown)} {detail}", way_out)


def _some(shown: list[str] | np.ndarray) -> str:
    """The first few, and that there are more."""
    return ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")


def _day(date: pd.Timestamp) -> str:
    return date.strftime("%Y-%m-%d")
