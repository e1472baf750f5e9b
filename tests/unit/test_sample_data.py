"""The bundled figures: a file and an origin for each series, and nothing published after the sample's day."""

from __future__ import annotations

import pandas as pd

from assets.catalog.loader import load_catalog
from tests.helpers import SAMPLE, SAMPLE_AS_OF
from tests.plain_method import figures

SERIES = [series.series_id for series in load_catalog().in_profile("sample")]


def test_each_series_has_a_file_and_its_origin_as_the_catalogue_describes_it() -> None:
    origin = pd.read_csv(SAMPLE / "provenance.csv", dtype=str).set_index("series_id")
    assert {file.stem for file in SAMPLE.glob("*.csv")} - {"provenance"} == set(origin.index) == set(SERIES)
    for series in load_catalog().in_profile("sample"):
        row, rows = origin.loc[series.series_id], figures(series.series_id)
        assert (row["first"], row["last"]) == (str(rows.index[0].date()), str(rows.index[-1].date()))
        assert (int(row["rows"]), row["unit"], row["title"]) == (len(rows), series.unit, series.title)
        assert row[["publisher", "rights", "read_from", "verified"]].notna().all(), series.series_id
        declared = series.sample_single_source_from
        assert row["single_source_from"] == str(declared) if declared else pd.isna(row["single_source_from"])


def test_nothing_was_first_published_after_the_as_of_date() -> None:
    never = {
        (late.series_id, str(late.observation_date)) for late in load_catalog().release_delays if late.never
    }
    for series_id in SERIES:
        known = figures(series_id)
        assert (known["public"] <= pd.Timestamp(SAMPLE_AS_OF)).all(), series_id
        absent = known.index[known["value"].isna()]
        assert {(series_id, str(day.date())) for day in absent} == {
            one for one in never if one[0] == series_id
        }
