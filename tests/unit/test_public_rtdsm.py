"""Real vintages without a key: each counts from its own day, and before it a figure is dated by lag rule."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection, Iterator
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
from assets.sources.parse import Unusable
from assets.sources.protocol import Known, Payload, PayloadRefused, Source
from assets.sources.public.rtdsm import (
    RealTimeDataSet,
    Vintages,
    WithVintages,
    changes,
    read_workbook,
    vintage_days,
)
from assets.sources.public.shared import carrier_of
from assets.sources.sample import SampleSource
from assets.sources.validate import validate
from assets.warehouse.fetches import known_series
from assets.warehouse.merge import merge_source
from assets.warehouse.readers import load_archive, missing_vintages
from tests.builders import NOON, Row, a_payload, a_series, an_archive, merge_payload, series_as_of
from tests.fakes.public_readers import workbook
from tests.fakes.publishers import FEW_RETRIES, HTML
from tests.fakes.server import Loopback, Served, running

REAL = PROJECT_ROOT.parent / "shared" / "realdata" / "primary" / "philadelphia"
FRED_MD = PROJECT_ROOT.parent / "shared" / "realdata"
MONTHS = ["2023:10", "2023:11", "2023:12", "2024:01", "2024:02"]
SMALL = workbook("ruc", MONTHS, {"RUC23Q4": [3.9], "RUC24Q1": [3.8, 3.7, 3.7, 3.7]})
TODAY = dt.date(2024, 3, 20)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        yield connection


def days_of(vintages: Vintages, series: Series) -> list[str]:
    published = released_on(load_catalog().release_delays, series.series_id)
    return vintage_days(vintages, series, published).astype(str).tolist()


class Today(Source):
    """The publisher of today's figures; `known` is what it was last asked with."""

    def __init__(self, payload: Payload) -> None:
        self._payload, self.known = payload, list[Known | None]()

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        self.known.append(known)
        return self._payload


def with_vintages(
    plain: Payload, content: bytes, series_id: str = "UNRATE", known: Known | None = None, **served: object
) -> Payload:
    series = a_series(series_id)
    file = f"/{carrier_of(series).vintages}.xlsx"
    with running(Loopback({file: Served(content, **served)})) as server:
        return WithVintages(Today(plain), RealTimeDataSet(server.root, FEW_RETRIES)).fetch(series, known)


def held(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, float, str]]:
    return con.execute(
        "SELECT observation_date::VARCHAR, realtime_start::VARCHAR, value, vintage_source FROM raw.observations "
        "ORDER BY ALL"
    ).fetchall()


def test_each_column_is_a_vintage_of_its_middle_month() -> None:
    found = read_workbook(SMALL, "rucQvMd")
    assert found.own_days.astype(str).tolist() == ["2023-11-15", "2024-02-15"]
    assert found.observations.astype(str).tolist()[0] == "2023-10-01" and len(found.observations) == 5
    np.testing.assert_array_equal(found.values[:, 0], [3.9, np.nan, np.nan, np.nan, np.nan])


def test_two_digit_years_begin_in_1962() -> None:
    content = workbook("employ", MONTHS, {"EMPLOY99M12": [1.0], "EMPLOY00M1": [2.0]})
    assert read_workbook(content, "employMvMd").own_days.astype(str).tolist() == ["1999-12-15", "2000-01-15"]


def test_a_figure_counts_by_lag_rule_until_its_vintage_and_is_then_real(
    con: duckdb.DuckDBPyConnection,
) -> None:
    plain: list[Row] = [("2024-01-01", 3.7), ("2024-02-01", 3.9)]
    payload = with_vintages(a_payload(plain), SMALL)
    merge_payload(con, a_series("UNRATE"), payload, run_date=TODAY)
    assert held(con) == [
        ("2023-10-01", "2023-11-10", 3.9, "lag_rule"),
        ("2023-10-01", "2023-11-15", 3.9, "rtdsm"),
        ("2023-10-01", "2024-02-15", 3.8, "rtdsm"),
        ("2023-11-01", "2023-12-10", 3.7, "lag_rule"),
        ("2023-11-01", "2024-02-15", 3.7, "rtdsm"),
        ("2023-12-01", "2024-01-10", 3.7, "lag_rule"),
        ("2023-12-01", "2024-02-15", 3.7, "rtdsm"),
        ("2024-01-01", "2024-02-10", 3.7, "lag_rule"),
        ("2024-01-01", "2024-02-15", 3.7, "rtdsm"),
        ("2024-02-01", "2024-03-10", 3.9, "lag_rule"),
    ]


def test_todays_figure_that_differs_from_the_newest_vintage_counts_from_today(
    con: duckdb.DuckDBPyConnection,
) -> None:
    payload = with_vintages(a_payload([("2024-01-01", 3.6), ("2023-12-01", 3.7)]), SMALL)
    for _ in range(2):  # the second time adds nothing
        merge_payload(con, a_series("UNRATE"), payload, run_date=TODAY)
        assert [row[1:] for row in held(con) if row[0] == "2024-01-01"] == [
            ("2024-02-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm"), (str(TODAY), 3.6, "captured"),
        ]  # fmt: skip
        assert [row[2:] for row in held(con) if row[0] == "2023-12-01"] == [(3.7, "lag_rule"), (3.7, "rtdsm")]


def test_figures_loaded_while_the_vintages_were_down_get_their_first_vintage(
    con: duckdb.DuckDBPyConnection,
) -> None:
    plain = a_payload([("2023-10-01", 4.4), ("2024-01-01", 3.7)])
    merge_payload(con, a_series("UNRATE"), plain, run_date=TODAY)
    merge_payload(con, a_series("UNRATE"), with_vintages(plain, SMALL), run_date=TODAY, fetch_id="g")
    october = [row[1:] for row in held(con) if row[0] == "2023-10-01"]
    assert october[0] == ("2023-11-10", 3.9, "lag_rule")


def test_a_figure_we_saw_before_its_vintage_keeps_what_we_saw(con: duckdb.DuckDBPyConnection) -> None:
    noon = dt.datetime(2024, 2, 11, 12, tzinfo=dt.UTC)
    plain = a_payload([("2024-01-01", 3.6)])
    merge_payload(con, a_series("UNRATE"), plain, run_date=noon.date(), captured_at=noon)
    merge_payload(con, a_series("UNRATE"), with_vintages(plain, SMALL), run_date=TODAY, fetch_id="g")
    january = [row[1:] for row in held(con) if row[0] == "2024-01-01"]
    assert january[:2] == [("2024-02-10", 3.6, "lag_rule"), ("2024-02-15", 3.7, "rtdsm")]


def test_vintages_of_first_estimates_count_from_the_release() -> None:
    content = workbook(
        "employ",
        ["2013:06", "2013:07", "2013:08", "2013:09"],
        {"EMPLOY13M8": [1.0, 2.0], "EMPLOY13M9": [1.0, 2.0, 3.0], "EMPLOY13M10": [1.0, 2.0, 3.0, 4.0]},
    )
    found = read_workbook(content, "employMvMd")
    # the shutdown moved September's release to 22 October: that vintage cannot count from the 15th
    assert days_of(found, a_series("PAYEMS")) == ["2013-08-10", "2013-09-10", "2013-10-22"]


def test_a_vintage_without_a_new_figure_counts_from_its_own_day() -> None:
    content = workbook(
        "employ", ["2013:07", "2013:08"], {"EMPLOY13M9": [2.0, 3.0], "EMPLOY13M10": [2.5, 3.0]}
    )
    assert days_of(read_workbook(content, "employMvMd"), a_series("PAYEMS")) == ["2013-09-10", "2013-10-15"]


def test_a_figure_that_a_vintage_leaves_out_is_missing_from_then_on() -> None:
    content = workbook("ruc", MONTHS[:2], {"RUC23Q4": [3.9, 1.0], "RUC24Q1": ["#N/A", 3.7]})
    found = read_workbook(content, "rucQvMd")
    rows = changes(found, found.own_days)
    october = rows[rows["observation_date"] == pd.Timestamp("2023-10-01")]
    assert october["value"].tolist()[0] == 3.9 and np.isnan(october["value"].tolist()[1])


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
    ],
)
def test_another_layout_is_refused_by_name(content: bytes, rule: str) -> None:
    with pytest.raises(Unusable) as refused:
        read_workbook(content, "rucQvMd")
    assert refused.value.rule == rule


def test_vintages_in_another_unit_are_refused() -> None:
    in_thousandths = workbook("ruc", MONTHS, {"RUC24Q1": [3900.0]})
    with pytest.raises(PayloadRefused, match="unit_changed"):
        with_vintages(a_payload([("2023-10-01", 3.9)]), in_thousandths)


def test_an_unchanged_workbook_costs_one_conditional_request() -> None:
    saved = dt.datetime(2024, 2, 28, tzinfo=dt.UTC)
    known = Known(
        None, dt.date(2024, 2, 15), dt.date(2024, 2, 1), None, dt.datetime(2024, 3, 5, tzinfo=dt.UTC)
    )
    plain = a_payload([("2024-02-01", 3.9)])
    assert with_vintages(plain, SMALL, known=known, last_modified=saved) == plain


def test_the_archive_knows_when_it_gained_its_newest_vintage(con: duckdb.DuckDBPyConnection) -> None:
    noon = dt.datetime(2024, 3, 20, 12, tzinfo=dt.UTC)
    payload = with_vintages(a_payload([("2024-02-01", 3.9)]), SMALL)
    merge_payload(con, a_series("UNRATE"), payload, run_date=TODAY, captured_at=noon)
    con.execute(
        "INSERT INTO raw.fetches BY NAME SELECT 'f' AS fetch_id, 'r' AS run_id, 'UNRATE' AS series_id, "
        "'fred' AS source, 'public' AS profile, TIMESTAMP '2024-03-20 12:00' AS fetched_at, 'new' AS status, "
        "false AS is_complete, 1 AS rows_new, 0 AS rows_revised, 0 AS rows_corrected, 0 AS rows_unchanged, "
        "0 AS requests, 0.0 AS seconds"
    )
    known = known_series(con, dt.date.max)["UNRATE"]
    assert (known.newest_vintage, known.vintages_at) == (None, noon)  # the first is ALFRED's


def test_a_source_takes_back_only_its_own_vintages(con: duckdb.DuckDBPyConnection) -> None:
    """ALFRED's stay when a complete payload of the real-time data set has none of them, and the reverse."""
    series, plain = a_series("UNRATE"), [("2023-10-01", 3.9), ("2024-02-01", 3.9)]
    of_alfred = a_payload([("2023-10-01", 3.9, "2023-11-03"), ("2024-01-01", 3.7, "2024-03-08")])
    merge_payload(con, series, of_alfred, run_date=TODAY)
    counts = merge_payload(con, series, with_vintages(a_payload(plain), SMALL), run_date=TODAY, fetch_id="g")
    assert counts.retracted == 0 and counts.new > 0
    assert merge_payload(con, series, of_alfred, run_date=TODAY, fetch_id="h").retracted == 0
    assert missing_vintages(con, of_alfred, TODAY) == (0, 2)
    known = Known(None, dt.date(2024, 3, 8), None, None)
    assert not with_vintages(a_payload(plain), SMALL, known=known).has_vintages


def test_a_new_vintage_comes_alone_on_a_night_without_new_figures(con: duckdb.DuckDBPyConnection) -> None:
    series = a_series("UNRATE")
    first = workbook("ruc", MONTHS, {"RUC23Q4": [3.9]})
    merge_payload(con, series, with_vintages(a_payload([("2023-10-01", 3.9)]), first), run_date=TODAY)
    unchanged = replace(a_payload([]), is_unchanged=True, is_complete=False)
    payload = with_vintages(unchanged, SMALL)
    assert not payload.is_unchanged and validate(payload, series, TODAY, None) == []
    merge_payload(con, series, payload, run_date=TODAY, fetch_id="g")
    assert [row[2:] for row in held(con) if row[0] == "2023-10-01"] == [
        (3.9, "lag_rule"), (3.9, "rtdsm"), (3.8, "rtdsm"),
    ]  # fmt: skip


def test_a_workbook_that_cannot_be_reached_does_not_make_the_publisher_send_everything_again() -> None:
    """The figures of the night are complete; only the first vintages need all of today's figures once more."""
    today = Today(a_payload([("2024-02-01", 3.9)]))
    known = Known(None, None, dt.date(2024, 2, 1), dt.datetime(2024, 3, 5, tzinfo=dt.UTC))
    server = Loopback({})
    with running(server):
        payload = WithVintages(today, RealTimeDataSet(server.root, FEW_RETRIES)).fetch(
            a_series("UNRATE"), known
        )
        server.routes = {"/rucQvMd.xlsx": Served(SMALL)}
        with_first = WithVintages(today, RealTimeDataSet(server.root, FEW_RETRIES))
        with_first.fetch(a_series("UNRATE"), known)
        with_first.fetch(
            a_series("UNRATE"), replace(known, vintages_at=dt.datetime(2024, 3, 5, tzinfo=dt.UTC))
        )
    assert payload.is_complete and not payload.has_vintages and "no vintages" in payload.notes[0]
    assert [one is None for one in today.known] == [False, True, False]


# --- the publisher's own workbooks of March 2024 ---

needs_files = pytest.mark.skipif(not REAL.exists(), reason="the real workbooks are not here")
# Advance estimates of real output, percent at annual rate, as reported in April 2009 and August 2006; the estimates
# a month later differed by up to 2.4 points.
ADVANCE = {
    "2004:Q4": 3.1, "2005:Q4": 1.1, "2006:Q2": 2.5, "2006:Q4": 3.5, "2007:Q1": 1.2, "2007:Q2": 3.4, "2007:Q3": 3.9,
    "2007:Q4": 0.6, "2008:Q1": 0.6, "2008:Q2": 1.9, "2008:Q3": -0.3, "2008:Q4": -3.8, "2009:Q1": -6.1,
}  # fmt: skip


@cache
def real(series_id: str) -> tuple[Series, Vintages]:
    series = a_series(series_id)
    assert series.carrier is not None and series.carrier.vintages is not None
    file = series.carrier.vintages
    return series, read_workbook((REAL / f"{file}.xlsx").read_bytes(), file)


@needs_files
@pytest.mark.parametrize("series_id", ["UNRATE", "CPIAUCSL", "GDPC1", "CP"])
def test_what_was_known_on_random_dates_is_the_column_of_the_workbook(
    series_id: str, con: duckdb.DuckDBPyConnection
) -> None:
    series, book = real(series_id)
    starts = vintage_days(book, series, released_on(load_catalog().release_delays, series_id))
    payload = replace(a_payload([], series_id), observations=changes(book, starts), vintage_source="rtdsm")
    merge_payload(con, series, payload, run_date=dt.date(2024, 3, 31))
    first = starts[0].astype(object)
    picked = random.Random(18).sample(range((dt.date(2024, 3, 1) - first).days), 20)
    for day in [first + dt.timedelta(days=n) for n in picked]:
        known = series_as_of(con, series_id, day)
        column = int(np.searchsorted(starts, np.datetime64(day), side="right")) - 1
        expected = {
            str(observation): value
            for observation, value in zip(book.observations, book.values[:, column], strict=True)
            if not np.isnan(value)
        }
        dated = known[known["vintage_source"] == "rtdsm"].dropna(subset="value")
        assert (
            dict(zip(dated["observation_date"].dt.strftime("%Y-%m-%d"), dated["value"], strict=True))
            == expected
        )
        others = known[known["vintage_source"] == "lag_rule"]
        assert (others["observation_date"] > pd.Timestamp(max(expected))).all()


@needs_files
def test_the_newest_figure_of_real_output_is_the_advance_estimate() -> None:
    """The check that lets its vintages count from the release."""
    _, book = real("GDPC1")
    for period, advance in ADVANCE.items():
        stamp = np.datetime64(f"{period[:4]}-{3 * int(period[-1]) - 2:02}-01", "D")
        row = int(np.flatnonzero(book.observations == stamp)[0])
        column = int(np.flatnonzero(~np.isnan(book.values[row]))[0])
        growth = 100.0 * ((book.values[row, column] / book.values[row - 1, column]) ** 4 - 1.0)
        assert growth == pytest.approx(advance, abs=0.065), period


@needs_files
@pytest.mark.slow
def test_wide_workbooks_are_read_whole_and_agree_with_other_records_of_the_same_day() -> None:
    """FRED-MD of March 2024 and of November 2008: 1,380 payroll figures are equal, 782 of production when rounded."""
    _, payrolls = real("PAYEMS")
    assert payrolls.values.shape == (1022, 712)
    for month, rows in (("2008-11", 598), ("2024-03", 782)):
        assert _differences(payrolls, month, "PAYEMS", 0.5) == (rows, 0)
    assert _differences(real("INDPRO")[1], "2024-03", "INDPRO", 0.0501) == (782, 0)


@needs_files
@pytest.mark.parametrize(
    ("series_id", "month", "rows"),
    [("UNRATE", "2008-11", 598), ("UNRATE", "2020-05", 736), ("CPIAUCSL", "2008-11", 597), ("CPIAUCSL", "2020-05", 736),
     ("M2SL", "2008-11", 598)],
)  # fmt: skip
def test_vintages_agree_with_other_records_of_the_same_month(series_id: str, month: str, rows: int) -> None:
    tolerance = 0.06 if series_id == "M2SL" else 0.002
    assert _differences(real(series_id)[1], month, series_id, tolerance) == (rows, 0)


@needs_files
@pytest.mark.slow
@pytest.mark.parametrize(
    ("series_id", "name", "months_later", "tolerance"),
    [("UNRATE", "unemployment", 1, 0.0005), ("PAYEMS", "payrolls", 0, 0.5), ("CPIAUCSL", "consumer prices", 1, 0.002),
     ("INDPRO", "industrial production", 0, 0.0501), ("M2SL", "M2", 1, 0.06)],
)  # fmt: skip
def test_the_page_states_the_agreement_with_freds_vintages(
    series_id: str, name: str, months_later: int, tolerance: float
) -> None:
    """Quarterly means of 71 vintages of FRED, from April 2005 to October 2022, and the workbook's next vintage."""
    record = pd.read_parquet(FRED_MD / "vintages" / "quarterly_realtime_2005m4_2022m10.parquet")
    book, both, equal = real(series_id)[1], 0, 0
    months = pd.PeriodIndex(book.observations.astype(str), freq="M")
    of_column = {str(day)[:7]: book.values[:, n] for n, day in enumerate(book.own_days)}
    for month, theirs in record[record["series_id"] == series_id].groupby("vintage"):
        column = of_column[str(np.datetime64(str(month), "M") + months_later)]
        quarters = pd.Series(column, months.asfreq("Q")).groupby(level=0)
        ours = quarters.mean().where(quarters.count() == 3)
        other = theirs.set_index(pd.PeriodIndex(theirs["date"], freq="Q"))["value"]
        apart = (ours - other).dropna().abs()
        both, equal = both + len(apart), equal + int((apart <= tolerance).sum())
    page = (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {name}, FRED's vintages")]
    assert [cell.strip() for cell in row.split("|")[2:4]] == [f"{both:,}", f"{equal:,}"]


def _differences(book: Vintages, month: str, series_id: str, tolerance: float) -> tuple[int, int]:
    """Figures in both, and how many of them differ, in the vintage of a month and the FRED-MD file of that month."""
    table = pd.read_csv(FRED_MD / "primary" / "fred_md" / f"fred-md_{month}.csv", dtype=str)
    table = table[table["sasdate"].str.contains("/", na=False)]
    theirs = pd.to_numeric(table[series_id].str.strip())
    theirs.index = pd.to_datetime(table["sasdate"].str.strip())
    column = int(np.flatnonzero(book.own_days == np.datetime64(f"{month}-15"))[0])
    ours = pd.Series(book.values[:, column], pd.to_datetime(book.observations.astype("datetime64[s]")))
    both = pd.concat([ours, theirs], axis=1, join="inner").dropna()
    return len(both), int(((both[0] - both[series_id]).abs() > tolerance).sum())


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
    page = (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")
    assert f"on {len(differs)} of {len(dates)} month-ends" in page
    assert {change: _months(page, change) for change in found} == found


def _states(with_vintages_of: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
    """Month-ends to March 2024, and the state on each, from the bundle and the vintages of some series."""
    catalog, bundle = load_catalog(), SampleSource(PROJECT_ROOT)
    fetched, published = [], {}
    for series in catalog.in_profile("sample"):
        payload, series_id = bundle.fetch(series), series.series_id
        published[series_id] = released_on(catalog.release_delays, series_id)
        if series_id in with_vintages_of:
            rows = changes(real(series_id)[1], vintage_days(real(series_id)[1], series, published[series_id]))
            both = pd.concat([payload.observations, rows], ignore_index=True)
            payload = replace(payload, observations=both, vintage_source="rtdsm")
        fetched.append((series, payload, "f"))
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64("2024-03-31", "D"))
    with an_archive() as con:
        merge_source(con, fetched, run_date=bundle.as_of, captured_at=NOON, released_on=published)
        archive = load_archive(con, list(published))
    return grid.as_of, regime_of(build_view(archive, grid, catalog, "sample")).states.state


def _months(page: str, change: str) -> list[str]:
    """The months a line of the page lists: "2001-07 to 2001-08, 2008-01"."""
    line = next(line for line in page.splitlines() if line.startswith(f"- {change}: "))
    months = []
    for part in line.split(": ")[1].rstrip(";.").split(", "):
        first, last = np.datetime64(part[:7], "M"), np.datetime64(part[-7:], "M")
        months += [str(month) for month in np.arange(first, last + 1)]
    return months
