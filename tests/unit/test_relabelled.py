"""Labels once more with one series revised: nothing left out that could differ, nothing in the frame that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, reduce

import numpy as np
import pandas as pd
import pytest

from assets.catalog.lineage import columns_read
from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile
from assets.compute.archive import Archive
from assets.compute.diagnostics.revised import (
    LABELS,
    labelled,
    regime_revised,
    relabelled,
    revised_series,
    seen_otherwise,
    tables_by_series,
    todays_figures,
    with_series_of,
)
from assets.compute.grid import Grid, build_grid
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.regime import build_labels
from assets.compute.registry import Computation
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS
from tests.helpers import archive, on_sample, sample_vintages, vintages
from tests.revisions import plain_regime_revised, with_revisions

CATALOG = load_catalog()
READ = {c for c in columns_read(CATALOG, CATALOG.tables["regime"], LABELS) if c.split(".")[0] in BUILDERS}
# economy, valuation with the stance, the stance, credit, all three through inflation; and two that reach no label
SEVERAL = {
    "UNRATE": -5.0, "GDP": 900.0, "CP": -200.0, "WALCL": 900000.0, "TOTBKCR": 40.0, "NFCI": 1.5, "CPIAUCSL": 3.0,
    "M2SL": 700.0, "TREAST": 50000.0,
}  # fmt: skip


def grid_to(run_date: str) -> Grid:
    return build_grid(np.datetime64(CATALOG.method.grid.start, "D"), np.datetime64(run_date, "D"))


def assert_as_plain(
    held: Archive, grid: Grid, profile: Profile, published: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The frame of `regime_revised`, found equal to the plain way's in every bit."""
    series = {s.series_id: s for s in CATALOG.in_profile(profile)}
    known = Computation(held, grid, CATALOG, profile).table("regime") if published is None else published
    found = regime_revised(held, grid, known, CATALOG, series)
    plain = plain_regime_revised(held, grid, known, CATALOG, profile)
    pd.testing.assert_frame_equal(found, plain, check_exact=True)
    return found


@pytest.mark.parametrize(
    ("run_date", "chosen", "named"),
    [
        ("2012-12-31", ("UNRATE", "WALCL", "TOTBKCR", "M2SL"), {"UNRATE", "TOTBKCR"}),
        ("2012-11-14", ("GDP", "CP", "NFCI", "CPIAUCSL", "TREAST"), {"GDP", "CP", "NFCI", "CPIAUCSL"}),
    ],
)
def test_a_shorter_way_says_nothing_else(run_date: str, chosen: Sequence[str], named: set[str]) -> None:
    held = Archive.from_frame(with_revisions({series_id: SEVERAL[series_id] for series_id in chosen}))
    assert set(revised_series(held)) == set(chosen)
    found = assert_as_plain(held, grid_to(run_date), "sample")
    assert set(found["explained_by"].dropna()) == named
    assert (found["stance_realised"] != found["stance_realised_revised"]).any() == ("WALCL" in chosen)


@pytest.mark.parametrize("series_id", SEVERAL)
def test_every_series_alone_gives_the_labels_of_a_whole_computation(series_id: str) -> None:
    """Of a series that reaches no label nothing is built, and the labels are the first ones."""
    grid, held = grid_to("2012-11-14"), Archive.from_frame(with_revisions({series_id: SEVERAL[series_id]}))
    series = {s.series_id: s for s in CATALOG.in_profile("sample")}
    one = with_series_of(held, todays_figures(held, grid.as_of[-1]), series_id)
    whole = Computation(one, grid, CATALOG, "sample")
    view = View(held, grid.as_of, series, CATALOG.method)
    first, tables = labelled(view, grid, CATALOG), tables_by_series(CATALOG).get(series_id, ())
    labels = relabelled(first, replace(view, archive=one), tables, grid, CATALOG)
    assert (labels.label == whole.regime.label).all()
    assert (labels.states.state == whole.regime.states.state).all()
    assert (labels.stance.realised == whole.regime.stance.realised).all()
    np.testing.assert_array_equal(labels.bubble_score, whole.regime.bubble_score)
    reaches_none = series_id in ("M2SL", "TREAST")
    assert (tables == ()) is reaches_none
    assert (labels is first.labels) is reaches_none


def test_a_withdrawn_figure_is_as_plain_too() -> None:
    frames = with_revisions({"UNRATE": -5.0, "GDP": np.nan, "NFCI": 1.0})
    found = assert_as_plain(Archive.from_frame(frames), grid_to("2012-12-31"), "sample")
    assert found["explained_by"].notna().any()


def test_rows_published_otherwise_than_computed_are_compared_as_published() -> None:
    """Series that touch nothing then still differ from what was published, as they do the plain way."""
    held, grid = Archive.from_frame(with_revisions({"UNRATE": -5.0, "M2SL": 700.0})), grid_to("2012-12-31")
    published = on_sample("2012-12-31").frame.reset_index()
    published.loc[200:, "bubble_score"] -= 0.01
    found = assert_as_plain(held, grid, "sample", published)
    assert "M2SL" in set(found["explained_by"])


def test_the_label_reads_exactly_the_columns_it_is_declared_to_be_derived_from() -> None:
    asked: set[str] = set()

    class Asked(dict[str, Reading]):
        def __getitem__(self, column: str) -> Reading:
            asked.add(column)
            return super().__getitem__(column)

    computed = on_sample("2012-12-31")
    build_labels(Asked(computed.readings), computed.grid, CATALOG)
    assert asked == READ


@pytest.mark.parametrize("profile", ["sample", "live"])
@pytest.mark.parametrize("table", sorted({column.split(".")[0] for column in READ}))
def test_a_table_is_the_same_when_all_series_are_revised_that_do_not_reach_the_label_through_it(
    table: str, profile: Profile
) -> None:
    """What is taken from the first run is what a new run gives; and with the other series revised it is not."""
    grid, held = every_series_revised(profile)
    today, reached = todays_figures(held, grid.as_of[-1]), tables_by_series(CATALOG)
    series = {s.series_id: s for s in CATALOG.in_profile(profile)}
    through = {s for s in filter(today.has, revised_series(held)) if table in reached.get(s, ())}
    others = set(filter(today.has, revised_series(held))) - through
    assert through
    assert len(others) >= 15

    def columns(revised: set[str]) -> dict[str, np.ndarray]:
        figures = reduce(lambda mixed, one: with_series_of(mixed, today, one), sorted(revised), held)
        view = View(figures, grid.as_of, series, CATALOG.method)
        readings = readings_of({table: BUILDERS[table](view, grid)})
        return {name: readings[name].value for name in sorted(READ) if name in readings}

    first, same, changed = columns(set()), columns(others), columns(through)
    for name, value in first.items():
        np.testing.assert_array_equal(same[name], value, err_msg=name)
    assert any(not np.array_equal(changed[name], value, equal_nan=True) for name, value in first.items())


@cache
def every_series_revised(profile: Profile) -> tuple[Grid, Archive]:
    """Figures of every series, each revised three months after it appeared; made up where there is no sample."""
    frames = sample_vintages() if profile == "sample" else made_up(profile)
    later = frames.assign(
        realtime_start=frames["realtime_start"] + pd.Timedelta(days=95), value=frames["value"] * 1.02 + 0.1
    ).astype(frames.dtypes)
    grid = build_grid(np.datetime64("2006-01-31", "D"), np.datetime64("2007-10-19", "D"))
    return grid, Archive.from_frame(pd.concat([frames, later], ignore_index=True))


def made_up(profile: Profile) -> pd.DataFrame:
    draws = np.random.default_rng(7)
    step = {"D": "B", "W": "W-WED", "M": "MS", "Q": "QS"}
    frames = []
    for series in CATALOG.in_profile(profile):
        dates = pd.date_range(
            f"{draws.integers(1989, 1996)}-01-01", "2007-09-30", freq=step[series.frequency]
        )
        frames.append(
            pd.DataFrame(
                {
                    "series_id": series.series_id,
                    "observation_date": dates.astype("datetime64[s]"),
                    "realtime_start": (dates + pd.Timedelta(days=series.release_lag_days + 20)).astype(
                        "datetime64[s]"
                    ),
                    "value": 50.0 + np.cumsum(draws.normal(size=len(dates)) * 0.1),
                    "vintage_source": "alfred",
                    "captured_at": np.datetime64("2008-01-01", "us"),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_a_figure_corrected_between_two_grid_dates_was_seen_by_none() -> None:
    rows = [("2011-05-01", "2011-06-03", 9.0), ("2011-05-01", "2011-06-20", 9.1)]
    held, grid = archive(vintages("UNRATE", rows)), grid_to("2012-12-31")
    assert revised_series(held) == ["UNRATE"]
    assert seen_otherwise(held, grid) == []
    later = archive(vintages("UNRATE", [*rows, ("2011-05-01", "2011-07-20", 9.2)]))
    assert seen_otherwise(later, grid) == ["UNRATE"]
    assert seen_otherwise(later, grid_to("2011-06-30")) == []  # not known on the run date


def test_no_series_is_passed_over_of_which_a_grid_date_sees_another_figure() -> None:
    """Many small archives: withdrawals, vintages of one day, corrections."""
    draws, catalog = np.random.default_rng(11), CATALOG
    observations = np.array(["2020-01-01", "2020-02-01", "2020-03-01"], dtype="datetime64[D]")
    passed = 0
    for _ in range(400):
        size = int(draws.integers(1, 7))
        start = np.datetime64("2020-02-01") + draws.integers(0, 12, size) * np.timedelta64(15, "D")
        frame = vintages(
            "UNRATE",
            [(str(o), str(s), None) for o, s in zip(draws.choice(observations, size), start, strict=True)],
        )
        frame["value"] = draws.choice([1.0, 1.0, 2.0, np.nan], size)
        frame["captured_at"] = (start + draws.integers(0, 60, size)).astype("datetime64[us]")
        held = Archive.from_frame(frame)
        grid = build_grid(np.datetime64("2020-01-31"), np.datetime64("2020-06-20"))
        seen = [
            View(a, grid.as_of, catalog.series, catalog.method).panel("UNRATE", observations)
            for a in (held, with_today(held, grid))
        ]
        if not seen_otherwise(held, grid):
            passed += 1
            np.testing.assert_array_equal(*seen)
    assert passed >= 40


def with_today(held: Archive, grid: Grid) -> Archive:
    today = todays_figures(held, grid.as_of[-1])
    return with_series_of(held, today, "UNRATE") if today.has("UNRATE") else held
