"""Validation of a payload before it enters the warehouse: all of it is accepted, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.sources.protocol import Known, Payload, PayloadRefused, Rule, base_years

_SHOWN = 3
_FIRST_DAY = np.datetime64("1776-07-04", "s")  # the earliest FRED accepts; an earlier one is a misread date
# what a complete response may lack as withdrawals: this many, or this share, of observations or of vintages
_WITHDRAWN_ROWS, _WITHDRAWN_SHARE = 3, 0.01
# Days between neighbouring observations: (shortest gap allowed, range of the median gap).
_SPACING = {"D": (1, (1, 4)), "W": (6, (7, 7)), "M": (28, (28, 31)), "Q": (89, (89, 92))}


@dataclass(frozen=True)
class _Validation:
    payload: Payload
    series: Series
    today: dt.date
    known: Known | None

    @property
    def rows(self) -> pd.DataFrame:
        return self.payload.observations

    def refusal(
        self, rule: Rule, detail: str, way_out: str = "check it against the publisher"
    ) -> PayloadRefused:
        return PayloadRefused(rule, self.payload.series_id, self.payload.where, detail, way_out)

    @property
    def catalog_file(self) -> str:
        return f"assets/catalog/series/{self.series.group}.toml"


def validate(payload: Payload, series: Series, today: dt.date, known: Known | None) -> list[str]:
    """Warnings about a payload that may enter the warehouse.

    `today` is the source's own day: the day of the fetch, or the end of the sample. Raises PayloadRefused, naming the
    first broken rule.
    """
    v = _Validation(payload, series, today, known)
    for rule in (_unit,) if payload.is_unchanged else _RULES:
        rule(v)
    warnings = [_unit_warning(v), _window_warning(v), *payload.notes]
    return [f"{series.series_id}: {text}" for text in warnings if text is not None]


def keeps_its_vintages(payload: Payload, missing: int, stored: int) -> None:
    """Refuse a complete response that lacks more vintages than a publisher withdraws.

    `missing` of the `stored` real vintages inside its span are not in it. Raises PayloadRefused: otherwise a response
    that lacks a part in the middle would have vintages retracted that the publisher still lists.
    """
    if missing > _withdrawals(stored):
        detail = f"{missing} of the {stored} vintages in the archive inside its span are not in it"
        way_out = (
            "a later run fetches it again; if they were removed for good, load into a new REGIME_DATA_DIR"
        )
        raise PayloadRefused("vintages_missing", payload.series_id, payload.where, detail, way_out)


def _withdrawals(before: int) -> int:
    return max(_WITHDRAWN_ROWS, int(_WITHDRAWN_SHARE * before))


def _any_figure(v: _Validation) -> None:
    is_holiday = len(v.rows) > 0 and not v.payload.is_complete  # news may be a single missing figure
    if v.rows["value"].isna().all() and not is_holiday:
        raise v.refusal("empty_file", f"{len(v.rows)} rows and no figure among them")


def _possible_dates(v: _Validation) -> None:
    rows, today = v.rows, np.datetime64(v.today, "s")
    observation, start = rows["observation_date"], rows["realtime_start"]
    is_repeated = rows.duplicated(["observation_date", "realtime_start"])
    wrong: tuple[tuple[Rule, pd.Series, str], ...] = (
        ("duplicate_key", observation[is_repeated], "repeat a date"),
        ("future_date", observation[observation > today], f"have observation_date after {v.today}"),
        ("future_date", start[start > today], f"have realtime_start after {v.today}"),
        ("impossible_date", observation[observation < _FIRST_DAY], "are before 1776"),
    )
    for rule, dates, fault in wrong:
        if len(dates):
            days = np.unique(dates.to_numpy().astype("datetime64[D]")).astype(str)
            raise v.refusal(rule, f"{len(dates)} rows {fault}: {_some(days)}")


def _unit(v: _Validation) -> None:
    stated, series = v.payload.unit_kind, v.series
    if stated is None:
        return
    if stated != series.unit_kind:
        detail = f"the publisher states {v.payload.unit!r} ({stated}), the catalogue {series.unit_kind}"
        raise v.refusal("unit_changed", detail, f"check the level, then {v.catalog_file}")
    if v.known is not None and v.known.unit_kind is not None and v.known.unit_kind != stated:
        detail = f"the publisher states {v.payload.unit!r} ({stated}), at the last fetch {v.known.unit_kind}"
        raise v.refusal("unit_changed", detail, "figures already in the archive are in the former unit")


def _plausible(v: _Validation) -> None:
    low, high = v.series.plausible_min, v.series.plausible_max
    # only the newest vintage of an observation: an earlier one may have another base year
    newest = v.rows.sort_values("realtime_start").drop_duplicates("observation_date", keep="last")
    outside = newest[(newest["value"] < low) | (newest["value"] > high)].sort_values("observation_date")
    if outside.empty:
        return
    pairs = zip(outside["value"], outside["observation_date"], strict=True)
    shown = [f"{value} on {date:%Y-%m-%d}" for value, date in pairs]
    count = f"{len(shown)} rows: " if len(shown) > 1 else ""
    detail = f"{count}{_some(shown)} is outside {low:g}..{high:g}"
    raise v.refusal("implausible_value", detail, f"check the file, or the range in {v.catalog_file}")


def _frequency(v: _Validation) -> None:
    stated, expected = v.payload.frequency_code, v.series.frequency
    if stated is not None and stated != expected:
        detail = f"the publisher states {v.payload.frequency!r} ({stated}), the catalogue {expected}"
        raise v.refusal("frequency_changed", detail)
    dates = np.unique(v.rows["observation_date"].to_numpy().astype("datetime64[D]"))
    if v.series.is_step or len(dates) < 3:
        return
    gaps = np.diff(dates).astype("int64")
    shortest, (low, high) = _SPACING[expected]
    if gaps.min() < shortest:
        at = dates[1:][gaps < shortest]
        detail = f"{len(at)} dates come less than {shortest} days after the one before (frequency {expected})"
        raise v.refusal("frequency_changed", f"{detail}: {_some(at.astype(str))}")
    # changes since yesterday may lie years apart
    if v.payload.is_complete and not low <= np.median(gaps) <= high:
        detail = f"dates are {np.median(gaps):g} days apart, expected {low} to {high} (frequency {expected})"
        raise v.refusal("frequency_changed", detail)


def _not_shorter(v: _Validation) -> None:
    if v.series.served_window_years is not None or not v.payload.is_complete:
        return
    dates, expected = v.rows["observation_date"], v.payload.rows_expected
    rows = dates.nunique()
    if expected is not None and rows < expected:
        raise v.refusal("shorter_than_before", f"{rows} observations, its provenance states {expected}")
    if v.known is None or v.known.rows_served is None:
        return
    before, first = v.known.rows_served, v.known.held_first
    # a missing beginning is no withdrawal
    is_cut = first is not None and dates.min() > pd.Timestamp(first)
    if before - rows > (0 if is_cut else _withdrawals(before)):
        raise v.refusal("shorter_than_before", f"{rows} observations, the last fetch had {before}")


# The order decides which rule is named when several are broken: a changed unit explains odd values.
_RULES: tuple[Callable[[_Validation], None], ...] = (
    _any_figure, _possible_dates, _unit, _plausible, _frequency, _not_shorter,
)  # fmt: skip


def _unit_warning(v: _Validation) -> str | None:
    text, declared = v.payload.unit, base_years(v.series.unit)
    if text is None:
        return None
    if v.payload.unit_kind is None:
        return f"unit text {text!r} is not understood; the level is plausible"
    if base_years(text) and declared and base_years(text) != declared:
        return f"base year changed: {text!r}, the catalogue has {v.series.unit!r}"
    return None


def _window_warning(v: _Validation) -> str | None:
    if v.known is None or v.known.held_first is None or not v.payload.is_complete:
        return None
    served = v.rows["observation_date"].min()
    if served <= pd.Timestamp(v.known.held_first):
        return None
    return f"served from {served:%Y-%m-%d} only; the archive keeps its figures since {v.known.held_first}"


def _some(shown: list[str] | np.ndarray) -> str:
    """The first few, and that there are more."""
    return ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")
