"""A staged table that is not what this release's archive gives is refused by its name; nothing is left uncompared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive
from assets.compute.grid import LIVE, build_grid
from assets.compute.live_rows import Frames, record_of
from assets.compute.registry import REGISTRY, Computation
from checks.audits.recompute import (
    COLUMNS,
    CUT_TABLES,
    CUTS,
    EARLIEST,
    cut_dates,
    live_of,
    recompute_suite,
    recomputed,
)
from checks.runner import SuiteResult, run_suite
from tests.helpers import sample_vintages

CATALOG = load_catalog()
RUN_DATE = np.datetime64("2026-05-31", "D")
LATE = {"late_figures": pd.DataFrame(columns=list(CATALOG.tables["late_figures"].column_names))}


def computation(vintages: pd.DataFrame) -> Computation:
    grid = build_grid(np.datetime64(CATALOG.method.grid.start, "D"), RUN_DATE)
    return Computation(Archive.from_frame(vintages), grid, CATALOG, "sample", stored=LATE)


@cache
def honest() -> Computation:
    return computation(sample_vintages())


@cache
def staged() -> Frames:
    return {name: honest().record(name) for name in REGISTRY}


def failed(changed: Frames, run: Computation | None = None) -> dict[str, str]:
    """Message of every rule that fails at the run date, by name."""
    run = run or honest()
    result = run_suite(recomputed({**staged(), **changed}, run, run.grid.as_of[:0]), recompute_suite(CATALOG))
    return {found.rule.name: found.message for found in result.failed}


def test_an_honest_release_passes_and_every_table_was_compared() -> None:
    found = recomputed(staged(), honest(), honest().grid.as_of[[EARLIEST, -1]])
    result: SuiteResult = run_suite(found, recompute_suite(CATALOG))
    assert result.failed == ()
    rows = found[found["cut_on"].isna()].set_index("table_name")["rows_compared"]
    empty = {"late_figures", "long_record_cases"}  # the sample has no long record
    assert set(rows.index[rows > 0]) == set(REGISTRY) - empty
    assert found.loc[found["cut_on"].notna(), "table_name"].tolist() == [*CUT_TABLES] * 2


@pytest.mark.parametrize(
    ("table", "column"),
    [("regime", "row_kind"), ("distance_to_flip", "limit_value"), ("policy_events", "announced_on")],
)
def test_a_missing_row_and_a_changed_column_are_found(table: str, column: str) -> None:
    frame = staged()[table]
    changed = frame.assign(**{column: frame[column].to_numpy()[::-1]})
    for wrong in (frame.iloc[1:], changed):
        assert set(failed({table: wrong})) == {f"recomputed__{table}"}


def test_an_infinite_number_is_found_before_it_becomes_a_missing_one_and_both_values_are_named() -> None:
    """The warehouse stores infinity as NULL, so that only the number computed again shows it."""
    yields, spreads = staged()["real_yields"].copy(), staged()["credit_spreads"].copy()
    yields.loc[yields["as_of_date"] == "1995-06-30", "nominal_10y_pct"] = 9.5
    spreads.loc[spreads["as_of_date"] == "2020-06-30", "baa_10y_pp"] = np.inf
    stored = {"real_yields": yields, "credit_spreads": spreads.replace(np.inf, np.nan)}
    found = failed(stored, replace(honest(), stored={**LATE, "credit_spreads": spreads}))
    assert "infinite_column baa_10y_pp" in found["recomputed__numbers_finite"]
    assert "recomputed__credit_spreads" not in found
    row = "row_key 1995-06-30, first_column nominal_10y_pct, staged 9.5, recomputed 6."
    assert row in found["recomputed__real_yields"]


def test_a_live_date_without_rows_in_a_table_has_none_when_it_is_computed_again() -> None:
    """A live month-end was indeterminate when it froze; with what was captured since it has an attribution."""
    attribution, regime = staged()["score_attribution"], staged()["regime"]
    is_live = regime["as_of_date"] == "2021-11-30"
    assert (attribution["as_of_date"] == "2021-11-30").any()
    changed = {
        "regime": regime.assign(row_kind=regime["row_kind"].mask(is_live, LIVE)),
        "score_attribution": attribution[attribution["as_of_date"] != "2021-11-30"],
    }
    live = live_of({**staged(), **changed}, CATALOG)
    assert len(live["score_attribution"]) == 0
    assert failed(changed, replace(honest(), live=live)) == {}
    panel = {name: staged()[name] for name in live}
    assert not (record_of(panel, live)["score_attribution"]["as_of_date"] == "2021-11-30").any()


def test_a_cut_before_the_run_date_is_computed_to_its_own_date() -> None:
    """Also where nothing was published or announced between the two, so that the archive has nothing to cut."""
    known = sample_vintages()
    run = computation(known[known["realtime_start"] <= "2026-05-31"])
    ledger = run.catalog.policy_events
    events = tuple(event for event in ledger.events if event.announced_on <= dt.date(2026, 5, 31))
    catalog = replace(run.catalog, policy_events=ledger.model_copy(update={"events": events}))
    later = replace(
        run, catalog=catalog, grid=build_grid(run.grid.as_of[0], np.datetime64("2026-06-30", "D"))
    )
    tables = {name: later.record(name) for name in REGISTRY}
    found = recomputed(tables, later, np.array(["2026-05-31"], dtype="datetime64[D]"))
    assert found.loc[found["rows_differing"] > 0, ["table_name", "cut_on"]].to_numpy().tolist() == []


def compared() -> pd.DataFrame:
    """What the audit reports of a release in which every table has one row, as of the run date."""
    return pd.DataFrame(
        {"table_name": list(REGISTRY), "rows_compared": 1, "rows_differing": 0}
    ).reindex(columns=list(COLUMNS)).astype({"cut_on": "datetime64[s]"})  # fmt: skip


def broken(found: pd.DataFrame) -> set[str]:
    return {result.rule.name for result in run_suite(found, recompute_suite(CATALOG)).failed}


def test_a_table_that_was_not_compared_is_missed() -> None:
    """Its rows up to a cut are no proof of the table of this run; no row is one only where there may be none."""
    assert broken(compared()) == set()
    all_missed = {f"recomputed__{name}" for name in REGISTRY}
    assert broken(compared().iloc[:0]) == all_missed
    assert broken(compared().assign(cut_on=pd.Timestamp("2020-01-31"))) == all_missed
    may_be_empty = {f"recomputed__{name}" for name in REGISTRY if CATALOG.tables[name].may_be_empty}
    assert may_be_empty and broken(compared().assign(rows_compared=0)) == all_missed - may_be_empty
    assert broken(compared()[compared()["table_name"] != "regime"]) == {"recomputed__regime"}


def test_the_first_month_end_is_enough() -> None:
    start = np.datetime64(CATALOG.method.grid.start, "D")
    for run_date in ("1985-01-31", "1985-04-29"):
        run = replace(honest(), grid=build_grid(start, np.datetime64(run_date, "D")))
        dates = cut_dates(run.grid, "a")
        assert dates.tolist() == [dt.date.fromisoformat(run_date)]
        assert broken(recomputed({name: run.record(name) for name in REGISTRY}, run, dates)) == set()


def test_dates_are_drawn_by_the_release_and_end_with_the_run_date() -> None:
    grid = honest().grid
    some, same, other = (cut_dates(grid, seed).tolist() for seed in ("a", "a", "b"))
    assert some == same != other
    assert len(some) == CUTS and some[-1] == dt.date(2026, 5, 31)
    assert min(some) >= grid.as_of[EARLIEST].tolist()
