"""As known against as revised: nothing differs without revisions, and a revision is found by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.archive import Archive
from assets.compute.diagnostics.revised import regime_revised, revised_series, todays_figures, with_series_of
from assets.compute.grid import Grid, build_grid
from assets.compute.registry import Computation
from tests.helpers import archive, on_sample, sample_vintages, vintages
from tests.revisions import with_revisions

RUN = "2012-12-31"


def in_use() -> tuple[Grid, dict[str, object]]:
    catalog = on_sample().catalog
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64(RUN, "D"))
    return grid, {s.series_id: s for s in catalog.in_profile("sample")}


def revised(frames: pd.DataFrame) -> pd.DataFrame:
    catalog, (grid, series) = on_sample().catalog, in_use()
    held = Archive.from_frame(frames)
    published = Computation(held, grid, catalog, "sample").table("regime")
    return regime_revised(held, grid, published, catalog, series).set_index("as_of_date")


def test_without_revisions_the_second_run_says_what_the_first_said() -> None:
    frame = revised(sample_vintages())
    assert frame["is_same_regime"].all()
    assert frame["score_revision"].abs().max() == 0
    assert frame["explained_by"].isna().all()


def test_the_series_that_was_revised_is_named_and_its_effect_is_the_difference() -> None:
    """Unemployment of 2009 revised to full employment: some month-ends lose their depression."""
    frame = revised(with_revisions({"UNRATE": -5.0}))
    other = frame[~frame["is_same_regime"]]
    assert len(other) >= 1
    assert set(other["explained_by"]) == {"UNRATE"}
    assert other["is_explained_alone"].all()
    moved = frame[frame["explained_by"].notna()]
    np.testing.assert_allclose(moved["explained_score_change"], moved["score_revision"], atol=1e-12)
    assert (frame.loc[:"2008-05-31", "score_revision"].dropna() == 0).all()


def test_the_first_run_never_changes_by_the_second() -> None:
    """A revision of 2011 is in no row before it as known, and in all of them as revised."""
    frame = revised(with_revisions({"UNRATE": -5.0}))
    known = on_sample(RUN).frame["bubble_score"]
    before = frame.loc[:"2011-05-31", "bubble_score"]
    pd.testing.assert_series_equal(before, known.loc[before.index], check_names=False)


def test_todays_figure_is_known_since_the_observation_first_appeared() -> None:
    held = archive(
        vintages("UNRATE", [("2020-03-01", "2020-04-03", 4.4), ("2020-03-01", "2021-01-08", 4.5)]),
        vintages("UNRATE", [("2020-04-01", "2020-05-08", 14.7), ("2020-04-01", "2022-01-08", None)]),
    )
    today = todays_figures(held, np.datetime64("2021-06-30"))
    observations = np.array(["2020-03-01", "2020-04-01"], dtype="datetime64[D]")
    rows = today.rows_as_of("UNRATE", observations, np.datetime64("2020-05-08"))
    assert today.value[rows].tolist() == [4.5, 14.7]
    withdrawn = todays_figures(held, np.datetime64("2022-06-30"))
    assert withdrawn.rows_as_of("UNRATE", observations, np.datetime64("2022-06-30")).tolist()[1] == -1
    assert revised_series(held) == ["UNRATE"]
    assert not todays_figures(held, np.datetime64("2019-12-31")).has("UNRATE")  # nothing of it was there yet


def test_one_series_is_exchanged_and_the_others_stay() -> None:
    a = archive(
        vintages("AAA", [("2020-01-01", "2020-02-01", 1.0)]),
        vintages("BBB", [("2020-01-01", "2020-02-01", 2.0)]),
    )
    b = archive(
        vintages("AAA", [("2020-01-01", "2020-02-01", 7.0), ("2020-02-01", "2020-03-01", 8.0)]),
        vintages("BBB", [("2020-01-01", "2020-02-01", 9.0)]),
    )
    mixed = with_series_of(a, b, "AAA")
    assert mixed.value.tolist() == [7.0, 8.0, 2.0]
    assert np.array_equal(np.sort(mixed.key), mixed.key)


@pytest.mark.parametrize("series_id", ["GDPC1", "TOTBKCR"])
def test_a_small_revision_moves_the_score_and_is_named(series_id: str) -> None:
    frame = revised(with_revisions({series_id: 40.0}, "2009-01-01", "2009-12-31"))
    moved = frame[frame["score_revision"].abs() > 1e-9]
    assert len(moved) > 0
    assert set(moved["explained_by"]) == {series_id}
