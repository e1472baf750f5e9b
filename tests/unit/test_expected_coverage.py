"""Coverage expected from the series that are there is the coverage the computation then has."""

from __future__ import annotations

import random
from collections.abc import Set
from functools import cache

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile, Series
from assets.compute.archive import Archive
from assets.compute.calendar import days, first_publication
from assets.compute.conditions import SCORED, Inputs, coverage, shortfall
from assets.compute.grid import build_grid
from assets.compute.regime import build_regime
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS, REGIME_INPUTS, build_view
from tests.helpers import CAPTURED_AT, sample_vintages

CATALOG = load_catalog()
DAYS: dict[Profile, str] = {"sample": "2025-09-30", "live": "2026-05-29"}  # on which no figure is too old
ROLES = ("condition", "stance")
# In the sample it ends long before. Once there were TIPS the nominal yield no longer stands in for them, which is not
# foreseen: it would take a series that is stored, too old, and the only one of its kind that came.
TOO_OLD = {"FII10"}


@cache
def live_vintages() -> pd.DataFrame:
    """Every live series since 2003 with made-up figures, none of them late."""
    return pd.concat([_made_up(series) for series in CATALOG.in_profile("live")], ignore_index=True)


def _made_up(series: Series) -> pd.DataFrame:
    step = {"D": 1, "W": 7, "M": 1, "Q": 3}[series.frequency]
    unit = "D" if series.frequency in "DW" else "M"
    observation = days(
        np.arange(np.datetime64("2003-01-02", unit), np.datetime64(DAYS["live"], unit) + 1, step)
    )
    known = first_publication(observation, series, {})
    observation, known = (
        column[known <= np.datetime64(DAYS["live"], "D")] for column in (observation, known)
    )
    low, high = max(series.plausible_min, 1.0), min(series.plausible_max, 1e5)
    wave = np.sin(np.arange(len(observation)) / 50.0 + len(series.series_id))
    return pd.DataFrame(
        {
            "series_id": series.series_id,
            "observation_date": observation.astype("datetime64[s]"),
            "realtime_start": known.astype("datetime64[s]"),
            "value": low + (high - low) * (0.5 + 0.1 * wave),
            "vintage_source": "lag_rule",
            "captured_at": np.datetime64(CAPTURED_AT, "us"),
        }
    )


VINTAGES = {"sample": sample_vintages, "live": live_vintages}


def computed(profile: Profile, without: Set[str]) -> tuple[dict[str, float], str]:
    """Coverage of each condition and the label of the newest row, by the real computation."""
    frame = VINTAGES[profile]()
    without = without | (TOO_OLD if profile == "sample" else set())
    stored = Archive.from_frame(frame[~frame["series_id"].isin(sorted(without))])
    grid = build_grid(np.datetime64("2014-12-31", "D"), np.datetime64(DAYS[profile], "D"))
    view = build_view(stored, grid, CATALOG, profile)
    readings = readings_of({name: BUILDERS[name](view) for name in REGIME_INPUTS})
    labels = build_regime(readings, grid, CATALOG)
    return {name: float(labels.conditions[name].coverage[-1]) for name in SCORED}, labels.label[-1]


@cache
def there(profile: Profile, *without: str) -> Inputs:
    """The series of the profile but some; nothing but the history of a few tells them apart."""
    first = VINTAGES[profile]().groupby("series_id")["observation_date"].min()
    enough = pd.Timestamp(DAYS[profile]) - pd.DateOffset(months=CATALOG.method.percentile.minimum_history)
    ids = set(first.index) - (TOO_OLD if profile == "sample" else set()) - set(without)
    return Inputs(ids, {name for name in ids if first[name] <= enough})


def agree(profile: Profile, missing: Set[str]) -> bool:
    """Whether the label is indeterminate, expected and computed alike."""
    expected = coverage(there(profile, *sorted(missing)), CATALOG)
    found, label = computed(profile, missing)
    assert expected == pytest.approx(found), sorted(missing)
    is_short = shortfall(there(profile, *sorted(missing)), missing, CATALOG) is not None
    assert is_short == (label == "indeterminate"), sorted(missing)
    return is_short


def inputs(profile: Profile) -> list[str]:
    return [series.series_id for series in CATALOG.in_profile(profile) if series.role in ROLES]


@pytest.mark.parametrize("profile", ["sample", "live"])
def test_random_sets_of_missing_series_cost_what_is_expected(profile: Profile) -> None:
    draw = random.Random(profile)
    outcomes = [
        agree(
            profile, set(draw.sample(inputs(profile), draw.randint(2, {"sample": 12, "live": 20}[profile])))
        )
        for _ in range(8)
    ]
    assert 0 < sum(outcomes) < 8, "both outcomes are met"


def test_without_shiller_the_national_accounts_carry_valuation() -> None:
    sheet = {series.series_id for series in CATALOG.by_source("shiller")}
    assert not agree("live", sheet)
    assert agree("live", {*sheet, "NCBEILQ027S"})


def test_the_line_names_inputs_conditions_and_coverage() -> None:
    missing = {"NFCI", "TOTBKCR", "WALCL"}
    spreads = {"EBP", "GZ_SPREAD", "HQMCB10YR"}
    found = shortfall(there("sample", *missing, *spreads), missing | spreads, CATALOG)
    assert found is not None and dict(found.coverage) == {"credit": 0.0}
    assert str(found) == (
        "the label would be indeterminate: coverage below 0.50 (credit 0.00) without EBP, GZ_SPREAD, HQMCB10YR, "
        "NFCI, TOTBKCR, WALCL"
    )


def test_what_is_absent_for_another_reason_is_no_shortfall() -> None:
    """A condition that is short with the missing series as without them is a matter of coverage, and published."""
    others = there("sample", "NFCI", "TOTBKCR", "EBP", "GZ_SPREAD", "HQMCB10YR", "UNRATE")
    assert shortfall(others, {"UNRATE"}, CATALOG) is None
