"""The real-time data set: each vintage counts from its own day, and before it a figure is dated by lag rule."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series
from assets.compute.calendar import released_on
from assets.compute.diagnostics.revised import regime_of
from assets.compute.grid import build_grid
from assets.compute.tables.build import build_view
from assets.sources.protocol import Known, Payload, PayloadRefused, Source
from assets.sources.public.carried import Completed
from assets.sources.public.rtdsm import RealTimeDataSet, Vintages, changes, read_workbook, vintage_days
from assets.sources.public.shared import carrier_of
from assets.sources.sample import SampleSource
from assets.sources.validate import validate
from assets.warehouse.fetches import known_series
from assets.warehouse.merge import merge_source
from assets.warehouse.readers import load_archive, missing_vintages
from tests.builders import (
    NOON,
    Row,
    a_payload,
    a_series,
    an_archive,
    merge_payload,
    series_as_of,
    vintages_in_force,
)
from tests.fakes.public_layouts import workbook
from tests.fakes.publishers import FEW_RETRIES, HTML
from tests.fakes.server import Loopback, Served, running
from tests.unit.test_public_vintages import FETCHED

PAGE = (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        yield connection


MONTHS = ["2023:10", "2023:11", "2023:12", "2024:01", "2024:02"]
SMALL = workbook("ruc", MONTHS, {"RUC23Q4": [3.9], "RUC24Q1": [3.8, 3.7, 3.7, 3.7]})
TODAY = dt.date(2024, 3, 20)
UNRATE = a_series("UNRATE")
BUNDLE = SampleSource(PROJECT_ROOT)
MARCH_5 = dt.datetime(2024, 3, 5, tzinfo=dt.UTC)


def days_of(found: Vintages, series: Series) -> list[str]:
    published = released_on(load_catalog().release_delays, series.series_id)
    return vintage_days(found, series, published).astype(str).tolist()


class Today(Source):
    """The publisher of today's figures; `known` is what it was last asked with."""

    def __init__(self, payload: Payload) -> None:
        self._payload, self.known = payload, list[Known | None]()

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        self.known.append(known)
        return self._payload


def with_vintages(plain: Payload, content: bytes, known: Known | None = None, **served: object) -> Payload:
    with running(Loopback({"/rucQvMd.xlsx": Served(content, **served)})) as server:
        return Completed(Today(plain), BUNDLE, RealTimeDataSet(server.root, FEW_RETRIES)).fetch(UNRATE, known)


def test_columns_are_vintages_of_their_middle_month_and_a_figure_left_out_is_missing_from_then_on() -> None:
    found = read_workbook(SMALL, "rucQvMd")
    assert found.own_days.astype(str).tolist() == ["2023-11-15", "2024-02-15"]
    assert found.observations.astype(str).tolist()[0] == "2023-10-01" and len(found.observations) == 5
    np.testing.assert_array_equal(found.values[:, 0], [3.9, np.nan, np.nan, np.nan, np.nan])
    content = workbook("employ", MONTHS, {"EMPLOY99M12": [1.0], "EMPLOY00M1": [2.0]})  # years from 1962 on
    assert read_workbook(content, "employMvMd").own_days.astype(str).tolist() == ["1999-12-15", "2000-01-15"]
    content = workbook("ruc", MONTHS[:2], {"RUC23Q4": [3.9, 1.0], "RUC24Q1": ["#N/A", 3.7]})
    rows = changes(found := read_workbook(content, "rucQvMd"), found.own_days)
    october = rows[rows["observation_date"] == pd.Timestamp("2023-10-01")]["value"].tolist()
    assert october[0] == 3.9 and np.isnan(october[1])


def test_a_figure_counts_by_lag_rule_until_its_vintage_and_a_differing_one_of_today_from_today(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows: list[Row] = [("2023-12-01", 3.7), ("2024-01-01", 3.6), ("2024-02-01", 3.9)]
    payload = with_vintages(a_payload(rows), SMALL)
    for _ in range(2):  # the second time adds nothing
        merge_payload(con, UNRATE, payload, run_date=TODAY)
        assert {month: vintages_in_force(con, f"{month.replace(':', '-')}-01") for month in MONTHS} == {
            "2023:10": [
                ("2023-11-10", 3.9, "lag_rule"), ("2023-11-15", 3.9, "rtdsm"), ("2024-02-15", 3.8, "rtdsm"),
            ],
            "2023:11": [("2023-12-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm")],
            "2023:12": [("2024-01-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm")],
            "2024:01": [
                ("2024-02-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm"), (str(TODAY), 3.6, "captured"),
            ],
            "2024:02": [("2024-03-10", 3.9, "lag_rule")],
        }  # fmt: skip


def test_before_its_vintage_a_figure_is_what_we_saw_or_else_its_first_vintage(
    con: duckdb.DuckDBPyConnection,
) -> None:
    noon = dt.datetime(2024, 2, 11, 12, tzinfo=dt.UTC)
    plain = a_payload([("2023-10-01", 4.4), ("2024-01-01", 3.6)])
    merge_payload(con, UNRATE, plain, run_date=noon.date(), captured_at=noon)
    merge_payload(con, UNRATE, with_vintages(plain, SMALL), run_date=TODAY, fetch_id="g")
    assert vintages_in_force(con, "2023-10-01")[0] == ("2023-11-10", 3.9, "lag_rule")
    assert vintages_in_force(con, "2024-01-01")[:2] == [
        ("2024-02-10", 3.6, "lag_rule"),
        ("2024-02-15", 3.7, "rtdsm"),
    ]


def test_vintages_of_first_estimates_count_from_the_release_and_those_without_a_new_figure_from_their_own() -> (
    None
):
    """The shutdown moved September's release to 22 October: that vintage cannot count from the 15th."""
    for periods, columns, expected in (
        (
            ["2013:06", "2013:07", "2013:08", "2013:09"],
            {"EMPLOY13M8": [1.0, 2.0], "EMPLOY13M9": [1.0, 2.0, 3.0], "EMPLOY13M10": [1.0, 2.0, 3.0, 4.0]},
            ["2013-08-10", "2013-09-10", "2013-10-22"],
        ),
        (
            ["2013:07", "2013:08"],
            {"EMPLOY13M9": [2.0, 3.0], "EMPLOY13M10": [2.5, 3.0]},
            ["2013-09-10", "2013-10-15"],
        ),
    ):
        found = read_workbook(workbook("employ", periods, columns), "employMvMd")
        assert days_of(found, a_series("PAYEMS")) == expected


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (HTML, "missing_column"),
        (SMALL[:-300], "missing_column"),
        (workbook("cpi", MONTHS, {"CPI24Q1": [1.0]}), "missing_column"),
        (workbook("ruc", MONTHS, {"RUC23Q3": [1.0], "RUC24Q1": [1.0]}), "missing_column"),
        (workbook("ruc", MONTHS, {"CPI24Q1": [1.0]}), "missing_column"),
        (workbook("ruc", ["2023:13", "2024:01"], {"RUC24Q1": [1.0, 1.0]}), "not_a_date"),
        (workbook("ruc", MONTHS[::-1], {"RUC24Q1": [1.0, 1.0]}), "not_a_date"),
        (workbook("ruc", MONTHS, {"RUC24Q1": ["3,7"]}), "not_a_number"),
        (workbook("ruc", MONTHS, {"RUC24Q1": []}), "empty_file"),
        (workbook("ruc", MONTHS, {"RUC24Q1": [3900.0]}), "unit_changed"),  # in thousandths
    ],
)
def test_another_layout_or_unit_is_refused_by_name(content: bytes, rule: str) -> None:
    with pytest.raises(PayloadRefused) as refused:
        with_vintages(a_payload([("2023-10-01", 3.9)]), content)
    assert refused.value.rule == rule


def test_an_unchanged_workbook_brings_no_vintage() -> None:
    known = Known(None, None, dt.date(2024, 2, 1), None, MARCH_5)
    plain = a_payload([("2024-02-01", 3.9)])
    saved = dt.datetime(2024, 2, 28, tzinfo=dt.UTC)
    assert with_vintages(plain, SMALL, known, last_modified=saved) == plain
    assert with_vintages(plain, SMALL, known, last_modified=MARCH_5).has_vintages


def test_the_archive_knows_when_it_gained_its_newest_vintage(con: duckdb.DuckDBPyConnection) -> None:
    noon = dt.datetime(2024, 3, 20, 12, tzinfo=dt.UTC)
    payload = with_vintages(a_payload([("2024-02-01", 3.9)]), SMALL)
    merge_payload(con, UNRATE, payload, run_date=TODAY, captured_at=noon)
    con.execute(FETCHED, ["UNRATE", "public", "2024-03-20 12:00", False])
    known = known_series(con, dt.date.max)["UNRATE"]
    assert (known.newest_vintage, known.vintages_at) == (None, noon)  # the first is ALFRED's


def test_a_source_takes_back_only_its_own_vintages(con: duckdb.DuckDBPyConnection) -> None:
    """ALFRED's stay when a complete payload of the real-time data set has none of them, and the reverse."""
    plain = a_payload([("2023-10-01", 3.9), ("2024-02-01", 3.9)])
    of_alfred = a_payload([("2023-10-01", 3.9, "2023-11-03"), ("2024-01-01", 3.7, "2024-03-08")])
    merge_payload(con, UNRATE, of_alfred, run_date=TODAY)
    counts = merge_payload(con, UNRATE, with_vintages(plain, SMALL), run_date=TODAY, fetch_id="g")
    assert counts.retracted == 0 and counts.new > 0
    assert merge_payload(con, UNRATE, of_alfred, run_date=TODAY, fetch_id="h").retracted == 0
    assert missing_vintages(con, of_alfred, TODAY) == (0, 2)
    assert not with_vintages(plain, SMALL, Known(None, dt.date(2024, 3, 8), None, None)).has_vintages


def test_a_new_vintage_comes_alone_on_a_night_without_new_figures(con: duckdb.DuckDBPyConnection) -> None:
    first = workbook("ruc", MONTHS, {"RUC23Q4": [3.9]})
    merge_payload(con, UNRATE, with_vintages(a_payload([("2023-10-01", 3.9)]), first), run_date=TODAY)
    payload = with_vintages(replace(a_payload([]), is_unchanged=True, is_complete=False), SMALL)
    assert not payload.is_unchanged and validate(payload, UNRATE, TODAY, None) == []
    merge_payload(con, UNRATE, payload, run_date=TODAY, fetch_id="g")
    assert [row[1:] for row in vintages_in_force(con, "2023-10-01")] == [
        (3.9, "lag_rule"), (3.9, "rtdsm"), (3.8, "rtdsm"),
    ]  # fmt: skip


def test_a_workbook_that_cannot_be_reached_does_not_make_the_publisher_send_everything_again() -> None:
    """The figures of the night are complete; only the first vintages need all of today's figures once more."""
    today = Today(a_payload([("2024-02-01", 3.9)]))
    known = Known(None, None, dt.date(2024, 2, 1), MARCH_5)
    with running(Loopback({})) as server:
        without = Completed(today, BUNDLE, RealTimeDataSet(server.root, FEW_RETRIES)).fetch(UNRATE, known)
        server.routes = {"/rucQvMd.xlsx": Served(SMALL)}
        with_first = Completed(today, BUNDLE, RealTimeDataSet(server.root, FEW_RETRIES))
        with_first.fetch(UNRATE, known)
        with_first.fetch(UNRATE, replace(known, vintages_at=MARCH_5))
    assert without.is_complete and not without.has_vintages and "no vintages" in without.notes[0]
    assert [one is None for one in today.known] == [False, True, False]


# --- the publisher's own workbooks of March 2024 ---

REALDATA = PROJECT_ROOT.parent / "shared" / "realdata"
needs_files = pytest.mark.skipif(not REALDATA.exists(), reason="the real workbooks are not here")
# Advance estimates of real output, percent at annual rate, as reported in April 2009 and August 2006; the estimates
# a month later differed by up to 2.4 points.
ADVANCE = {
    "2004:Q4": 3.1, "2005:Q4": 1.1, "2006:Q2": 2.5, "2006:Q4": 3.5, "2007:Q1": 1.2, "2007:Q2": 3.4, "2007:Q3": 3.9,
    "2007:Q4": 0.6, "2008:Q1": 0.6, "2008:Q2": 1.9, "2008:Q3": -0.3, "2008:Q4": -3.8, "2009:Q1": -6.1,
}  # fmt: skip


@cache
def real(series_id: str) -> Vintages:
    file = carrier_of(a_series(series_id)).vintages or ""
    return read_workbook((REALDATA / "primary" / "philadelphia" / f"{file}.xlsx").read_bytes(), file)


def real_rows(series_id: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The changes of a workbook, and the day each vintage counts from."""
    published = released_on(load_catalog().release_delays, series_id)
    starts = vintage_days(real(series_id), a_series(series_id), published)
    return changes(real(series_id), starts), starts


@needs_files
@pytest.mark.parametrize("series_id", ["UNRATE", "GDPC1"])
def test_what_was_known_on_random_dates_is_the_column_of_the_workbook(
    series_id: str, con: duckdb.DuckDBPyConnection
) -> None:
    book, (rows, starts) = real(series_id), real_rows(series_id)
    payload = replace(a_payload([], series_id), observations=rows, vintage_source="rtdsm")
    merge_payload(con, a_series(series_id), payload, run_date=dt.date(2024, 3, 31))
    first = starts[0].astype(object)
    picked = random.Random(18).sample(range((dt.date(2024, 3, 1) - first).days), 20)
    for day in [first + dt.timedelta(days=n) for n in picked]:
        known = series_as_of(con, series_id, day).dropna(subset="value")
        column = pd.Series(book.values[:, np.searchsorted(starts, np.datetime64(day), side="right") - 1])
        expected = column.set_axis(pd.DatetimeIndex(book.observations.astype("datetime64[s]"))).dropna()
        is_dated = known["vintage_source"] == "rtdsm"
        found = known[is_dated].set_index("observation_date")["value"]
        assert found.to_dict() == expected.to_dict(), day
        assert (known[~is_dated]["observation_date"] > expected.index.max()).all()


@needs_files
def test_the_newest_figure_of_real_output_is_the_advance_estimate() -> None:
    """The check that lets its vintages count from the release."""
    book = real("GDPC1")
    for period, advance in ADVANCE.items():
        stamp = np.datetime64(f"{period[:4]}-{3 * int(period[-1]) - 2:02}-01", "D")
        row = int(np.flatnonzero(book.observations == stamp)[0])
        column = int(np.flatnonzero(~np.isnan(book.values[row]))[0])
        growth = 100.0 * ((book.values[row, column] / book.values[row - 1, column]) ** 4 - 1.0)
        assert growth == pytest.approx(advance, abs=0.065), period


@needs_files
@pytest.mark.slow
@pytest.mark.parametrize(
    ("series_id", "name", "months_later", "tolerance", "fred_md"),
    [
        ("UNRATE", "unemployment", 1, 0.0005, {"2008-11": 598, "2020-05": 736}),
        ("PAYEMS", "payrolls", 0, 0.5, {"2008-11": 598, "2024-03": 782}),
        ("CPIAUCSL", "consumer prices", 1, 0.002, {"2008-11": 597, "2020-05": 736}),
        ("INDPRO", "industrial production", 0, 0.0501, {"2024-03": 782}),
        ("M2SL", "M2", 1, 0.06, {"2008-11": 598}),
    ],
)
def test_the_page_states_the_agreement_with_other_records(
    series_id: str, name: str, months_later: int, tolerance: float, fred_md: Mapping[str, int]
) -> None:
    """Quarterly means of 71 vintages of FRED, from April 2005 to October 2022, and files of FRED-MD."""
    record = pd.read_parquet(REALDATA / "vintages" / "quarterly_realtime_2005m4_2022m10.parquet")
    book, both, equal = real(series_id), 0, 0
    months = pd.PeriodIndex(book.observations.astype(str), freq="M")
    of_column = {str(day)[:7]: book.values[:, n] for n, day in enumerate(book.own_days)}
    for month, theirs in record[record["series_id"] == series_id].groupby("vintage"):
        column = of_column[str(np.datetime64(str(month), "M") + months_later)]
        quarters = pd.Series(column, months.asfreq("Q")).groupby(level=0)
        mean = quarters.mean().where(quarters.count() == 3)
        other = theirs.set_index(pd.PeriodIndex(theirs["date"], freq="Q"))["value"]
        apart = (mean - other).dropna().abs()
        both, equal = both + len(apart), equal + int((apart <= tolerance).sum())
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name}, FRED's vintages")]
    assert [cell.strip() for cell in row.split("|")[2:4]] == [f"{both:,}", f"{equal:,}"]
    for month, count in fred_md.items():
        table = pd.read_csv(REALDATA / "primary" / "fred_md" / f"fred-md_{month}.csv", dtype=str)
        table = table[table["sasdate"].str.contains("/", na=False)]
        stamps = pd.PeriodIndex(pd.to_datetime(table["sasdate"].str.strip()), freq="M")
        theirs = pd.Series(pd.to_numeric(table[series_id].str.strip()).to_numpy(), stamps)
        apart = (pd.Series(of_column[month], months) - theirs).dropna().abs()
        assert (len(apart), int((apart > max(tolerance, 0.002)).sum())) == (count, 0), month


@needs_files
@pytest.mark.slow
def test_the_page_lists_the_month_ends_whose_state_differs_in_real_time() -> None:
    dates, plain = _states(with_vintages_of=())
    _, real_time = _states(with_vintages_of=("UNRATE", "CPIAUCSL", "GDPC1", "CP"))
    differs = np.flatnonzero(plain != real_time)
    found: dict[str, list[str]] = {}
    for n in differs:
        change = f"{real_time[n].replace('_', '-')} instead of {plain[n].replace('_', '-')}"
        found.setdefault(change, []).append(str(dates[n])[:7])
    assert f"on {len(differs)} of {len(dates)} month-ends" in PAGE
    for change, months in found.items():
        line = next(line for line in PAGE.splitlines() if line.startswith(f"- {change}: "))
        spans = [part.split(" to ") for part in line.split(": ")[1].rstrip(";.").split(", ")]
        stated = [
            month for span in spans for month in pd.period_range(span[0], span[-1], freq="M").astype(str)
        ]
        assert stated == months, change


def _states(with_vintages_of: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
    """Month-ends to March 2024, and the state on each, from the bundle and the vintages of some series."""
    catalog, bundle = load_catalog(), SampleSource(PROJECT_ROOT)
    fetched, published = [], {}
    for series in catalog.in_profile("sample"):
        payload, series_id = bundle.fetch(series), series.series_id
        published[series_id] = released_on(catalog.release_delays, series_id)
        if series_id in with_vintages_of:
            both = pd.concat([payload.observations, real_rows(series_id)[0]], ignore_index=True)
            payload = replace(payload, observations=both, vintage_source="rtdsm")
        fetched.append((series, payload, "f"))
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64("2024-03-31", "D"))
    with an_archive() as con:
        merge_source(con, fetched, run_date=bundle.as_of, captured_at=NOON, released_on=published)
        archive = load_archive(con, list(published))
    return grid.as_of, regime_of(build_view(archive, grid, catalog, "sample")).states.state
