"""As known against as revised: a revision is found by name, and the shorter way computes nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive, as_revised, cut, of_series, revised_series, seen_otherwise
from assets.compute.diagnostics.revised import (
    LABELS,
    regime_revised,
)
from assets.compute.grid import Grid, build_grid
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.regime import build_regime
from assets.compute.registry import Computation
from assets.compute.tables.build import BUILDERS
from tests.helpers import archive, on_sample, sample_vintages, vintages

CATALOG = load_catalog()
SERIES = {s.series_id: s for s in CATALOG.in_profile("sample")}
READ = {c for c in CATALOG.columns_read("regime", LABELS) if c.split(".")[0] in BUILDERS}
KNOWN = ["is_month_end", *LABELS]  # columns of `regime_revised` that are those of the published row
# economy, valuation with the stance, the stance, credit, all three through inflation; and two that reach no label
RAISED_BY = {
    "UNRATE": -5.0, "GDP": 900.0, "CP": -200.0, "WALCL": 900000.0, "TOTBKCR": 40.0, "NFCI": 1.5, "CPIAUCSL": 3.0,
    "M2SL": 700.0, "TREAST": 50000.0,
}  # fmt: skip


def with_revisions(changes: Mapping[str, float]) -> pd.DataFrame:
    """The sample, with the figures of some series from 2008 to 2010 raised by so much on a day in 2011."""
    first = sample_vintages()
    revised = first[
        first["series_id"].isin(changes.keys())
        & first["observation_date"].between("2008-06-01", "2010-12-01")
    ].copy()
    revised["realtime_start"] = np.datetime64("2011-06-01", "s")
    revised["value"] += revised["series_id"].map(changes)
    return pd.concat([first, revised.astype(first.dtypes)], ignore_index=True)


def grid_to(run_date: str) -> Grid:
    """From 1997 on: ten years later there are ranks."""
    return build_grid(np.datetime64("1997-12-31", "D"), np.datetime64(run_date, "D"))


def seen(stored: Archive, grid: Grid) -> View:
    return View(stored, grid.as_of, SERIES, CATALOG)


def published(stored: Archive, grid: Grid) -> pd.DataFrame:
    return Computation(stored, grid, CATALOG, "sample").table("regime")


def revised(frames: pd.DataFrame) -> pd.DataFrame:
    stored, grid = Archive.from_frame(frames), grid_to("2012-12-31")
    frame = regime_revised(seen(stored, grid), published(stored, grid))
    return frame.set_index("as_of_date")


def test_a_revision_is_in_no_row_before_it_as_known_and_in_them_as_revised() -> None:
    """Unemployment of 2009 revised to full employment in 2011; without a revision nothing differs."""
    unrevised, fewer_unemployed = revised(sample_vintages()), revised(with_revisions({"UNRATE": -5.0}))
    assert unrevised["is_same_regime"].all() and unrevised["explained_by"].isna().all()
    assert unrevised["score_revision"].abs().max() == 0
    before, after = unrevised.loc[:"2011-05-31"], fewer_unemployed.loc[:"2011-05-31"]
    pd.testing.assert_frame_equal(before[KNOWN], after[KNOWN], check_exact=True)
    assert (before["revised_score"] != after["revised_score"])["2009-01-31":].any()
    assert (after.loc[:"2008-05-31", "score_revision"].dropna() == 0).all()
    assert set(fewer_unemployed.loc[~fewer_unemployed["is_same_regime"], "explained_by"]) == {"UNRATE"}


def test_todays_figure_is_known_since_the_observation_first_appeared() -> None:
    stored = archive(
        vintages("UNRATE", [("2020-03-01", "2020-04-03", 4.4), ("2020-03-01", "2021-01-08", 4.5)]),
        vintages("UNRATE", [("2020-04-01", "2020-05-08", 14.7), ("2020-04-01", "2022-01-08", None)]),
    )
    today = as_revised(cut(stored, np.datetime64("2021-06-30")))
    observations = np.array(["2020-03-01", "2020-04-01"], dtype="datetime64[D]")
    rows = today.rows_as_of("UNRATE", observations, np.datetime64("2020-05-08"))
    assert today.value[rows].tolist() == [4.5, 14.7]
    withdrawn = as_revised(cut(stored, np.datetime64("2022-06-30")))
    assert withdrawn.rows_as_of("UNRATE", observations, np.datetime64("2022-06-30")).tolist()[1] == -1
    assert revised_series(stored) == ["UNRATE"]
    assert not as_revised(cut(stored, np.datetime64("2019-12-31"))).has(
        "UNRATE"
    )  # nothing of it was there yet


# ---- the shorter way against a complete computation per revised series


@pytest.mark.parametrize(
    ("run_date", "changes", "named", "moves_stance"),
    [
        ("2012-12-31", ("UNRATE", "WALCL", "TOTBKCR", "M2SL"), {"UNRATE", "TOTBKCR"}, True),
        ("2012-11-14", ("GDP", "CP", "NFCI", "CPIAUCSL", "TREAST"), {"CP", "NFCI", "CPIAUCSL"}, False),
        ("2012-12-31", {"UNRATE": -5.0, "GDP": np.nan}, {"UNRATE", "GDP"}, True),  # figures withdrawn
    ],
)
def test_the_shorter_way_gives_every_bit_of_the_complete_one(
    run_date: str, changes: Mapping[str, float] | tuple[str, ...], named: set[str], moves_stance: bool
) -> None:
    raised = changes if isinstance(changes, Mapping) else {name: RAISED_BY[name] for name in changes}
    stored, grid = Archive.from_frame(with_revisions(raised)), grid_to(run_date)
    assert set(revised_series(stored)) == set(changes)
    found = assert_as_plain(stored, grid, published(stored, grid))
    assert set(found["explained_by"].dropna()) == named
    assert (found["stance_realised"] != found["stance_realised_revised"]).any() == moves_stance


def assert_as_plain(stored: Archive, grid: Grid, known: pd.DataFrame) -> pd.DataFrame:
    found = regime_revised(seen(stored, grid), known)
    plain = plainly(stored, grid, known)
    pd.testing.assert_frame_equal(found[list(plain.columns)], plain, check_exact=True)
    return found


def plainly(stored: Archive, grid: Grid, known: pd.DataFrame) -> pd.DataFrame:
    """The label with today's figures and its causes: a complete computation for every revised series."""
    today = as_revised(cut(stored, grid.as_of[-1]))
    now = published(today, grid)
    revision, label = now["bubble_score"] - known["bubble_score"], known["regime"]
    differs = (now["regime"] != label) | (revision.fillna(0.0).abs() > 1e-9)
    differs |= now["bubble_score"].isna() != known["bubble_score"].isna()
    cause = pd.DataFrame({"by": None, "change": np.nan, "alone": None, "worth": -np.inf}, known.index)
    for series_id in filter(today.has, revised_series(stored)):
        one = published(stored.with_rows_of(series_id, of_series(today, series_id)), grid)
        change = (one["bubble_score"] - known["bubble_score"]).fillna(0.0)
        alone = (one["regime"] == now["regime"]) & (one["regime"] != label)
        moved = differs & ((change.abs() > 1e-9) | (one["regime"] != label))
        worth = alone * 10.0 + np.sign(revision.fillna(0.0)) * change
        better = moved & (worth > cause["worth"])
        parts = {"by": series_id, "change": change, "alone": alone.astype(object), "worth": worth}
        cause = cause.mask(better, pd.DataFrame(parts))
    revised = {
        "regime": "regime_revised",
        "condition_state": "condition_state_revised",
        "stance_realised": "stance_realised_revised",
        "bubble_score": "revised_score",
    }
    return (
        now[list(revised)]
        .rename(columns=revised)
        .assign(
            explained_by=cause["by"],
            explained_score_change=cause["change"].astype("float64"),
            is_explained_alone=cause["alone"],
        )
    )


def test_rows_that_differ_from_the_computation_are_compared_as_published() -> None:
    """A series that reaches no label still differs from what was published, as it does the plain way."""
    stored, grid = Archive.from_frame(with_revisions({"M2SL": 700.0})), grid_to("2012-12-31")
    known = published(stored, grid)
    known.loc[150:, "bubble_score"] -= 0.01
    assert "M2SL" in set(assert_as_plain(stored, grid, known)["explained_by"])


def test_the_label_reads_exactly_the_columns_it_is_declared_to_be_derived_from() -> None:
    requested: set[str] = set()

    class Recording(dict[str, Reading]):
        def __getitem__(self, column: str) -> Reading:
            requested.add(column)
            return super().__getitem__(column)

    computed = on_sample()
    build_regime(Recording(computed.readings), computed.grid, CATALOG)
    assert requested - {"activity_inflation.core_pce_yoy_pct"} == READ, "inflation is next to the label"


def test_no_series_is_skipped_whose_figures_differ_on_a_grid_date() -> None:
    """Many small archives: withdrawals, vintages of one day, corrections."""
    draws, catalog = np.random.default_rng(11), CATALOG
    observations = np.array(["2020-01-01", "2020-02-01", "2020-03-01"], dtype="datetime64[D]")
    passed = 0
    for _ in range(150):
        size = int(draws.integers(1, 7))
        start = np.datetime64("2020-02-01") + draws.integers(0, 12, size) * np.timedelta64(15, "D")
        frame = vintages(
            "UNRATE",
            [(str(o), str(s), None) for o, s in zip(draws.choice(observations, size), start, strict=True)],
        )
        frame["value"] = draws.choice([1.0, 1.0, 2.0, np.nan], size)
        frame["captured_at"] = (start + draws.integers(0, 60, size)).astype("datetime64[us]")
        stored = Archive.from_frame(frame)
        grid = build_grid(np.datetime64("2020-01-31"), np.datetime64("2020-06-20"))
        views = [
            View(a, grid.as_of, catalog.series, catalog).panel("UNRATE", observations)
            for a in (stored, with_today(stored, grid))
        ]
        if not seen_otherwise(stored, grid.as_of):
            passed += 1
            np.testing.assert_array_equal(*views)
    assert passed >= 15


def with_today(stored: Archive, grid: Grid) -> Archive:
    today = as_revised(cut(stored, grid.as_of[-1]))
    return stored.with_rows_of("UNRATE", of_series(today, "UNRATE")) if today.has("UNRATE") else stored
