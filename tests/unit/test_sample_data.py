"""The bundled figures: whole, dated, described, and nothing in them published after the sample's day."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import tomllib

import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series

SAMPLE = PROJECT_ROOT / "sample_data"
AS_OF: dt.date = tomllib.loads((SAMPLE / "sample.toml").read_text())["as_of"]
SERIES = load_catalog().in_profile("sample")
DELAYS = {(delay.series_id, delay.observation_date): delay for delay in load_catalog().release_delays}
COLUMNS = [
    "series_id", "title", "unit", "frequency", "seasonal_adjustment", "first", "last", "rows",
    "publisher", "rights", "read_from", "verified", "single_source_from", "note",
]  # fmt: skip


def _rows(series_id: str) -> list[tuple[dt.date, str]]:
    with (SAMPLE / f"{series_id}.csv").open(encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    assert header == ["date", "value"]
    return [(dt.date.fromisoformat(date), value) for date, value in rows]


def _provenance() -> dict[str, dict[str, str]]:
    with (SAMPLE / "provenance.csv").open(encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        entries = {row["series_id"]: row for row in reader}
        assert reader.fieldnames == COLUMNS
    return entries


PROVENANCE = _provenance()


def _first_published(series: Series, observed: dt.date) -> dt.date | None:
    """Written out here on purpose: the cut is checked by other code than the pipeline's own calendar."""
    delay = DELAYS.get((series.series_id, observed))
    if delay is not None:
        return delay.released_on
    if series.frequency in ("D", "W"):
        return observed + dt.timedelta(days=series.release_lag_days)
    month = observed.month if series.frequency == "M" else (observed.month + 2) // 3 * 3
    end = dt.date(observed.year, month, calendar.monthrange(observed.year, month)[1])
    is_late_quarter = series.release_lag_q4_days is not None and month == 12
    lag = series.release_lag_q4_days if is_late_quarter else series.release_lag_days
    assert lag is not None
    return end + dt.timedelta(days=lag)


def test_one_file_and_one_provenance_row_per_sample_series() -> None:
    expected = {series.series_id for series in SERIES}
    assert {file.stem for file in SAMPLE.glob("*.csv")} - {"provenance"} == expected
    assert set(PROVENANCE) == expected


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.series_id)
def test_dates_are_sorted_unique_and_values_are_numbers_or_empty(series: Series) -> None:
    rows = _rows(series.series_id)
    dates = [date for date, _ in rows]
    assert rows and dates == sorted(set(dates))
    assert rows[-1][1] != ""
    for _, value in rows:
        assert value == "" or series.plausible_min <= float(value) <= series.plausible_max


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.series_id)
def test_nothing_was_first_published_after_the_as_of_date(series: Series) -> None:
    for observed, value in _rows(series.series_id):
        published = _first_published(series, observed)
        if published is None:
            assert value == "", f"{observed}: never published, yet it has a value"
        else:
            assert published <= AS_OF, f"{observed}: first published {published}"


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.series_id)
def test_provenance_agrees_with_file_and_catalogue(series: Series) -> None:
    rows, entry = _rows(series.series_id), PROVENANCE[series.series_id]
    assert (entry["first"], entry["last"]) == (str(rows[0][0]), str(rows[-1][0]))
    assert int(entry["rows"]) == len(rows)
    assert (entry["unit"], entry["title"]) == (series.unit, series.title)
    assert (entry["frequency"], entry["seasonal_adjustment"]) == (
        series.frequency,
        series.seasonal_adjustment,
    )
    assert all(entry[column] for column in ("publisher", "rights", "read_from", "verified"))


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.series_id)
def test_the_first_figure_of_one_source_alone_is_the_same_in_catalogue_and_provenance(series: Series) -> None:
    declared, entry = series.sample_single_source_from, PROVENANCE[series.series_id]
    assert entry["single_source_from"] == (str(declared) if declared else "")
    assert declared is None or declared in dict(_rows(series.series_id))
    if "rest on one" in entry["note"] or "rests on one" in entry["note"]:
        assert declared is not None


def test_empty_values_are_the_two_months_that_were_never_published() -> None:
    empty = {
        series.series_id: [d for d, value in _rows(series.series_id) if value == ""] for series in SERIES
    }
    october = [dt.date(2025, 10, 1)]
    assert {key: dates for key, dates in empty.items() if dates} == dict.fromkeys(
        ("CPIAUCSL", "CPILFESL", "UNRATE"), october
    )


def test_figures_known_on_the_day_of_the_post() -> None:
    assert dict(_rows("DGS10"))[dt.date(2025, 11, 4)] == "4.10"
    assert dict(_rows("DFII10"))[dt.date(2025, 11, 4)] == "1.81"
    assert dict(_rows("UNRATE"))[dt.date(2025, 8, 1)] == "4.3"
