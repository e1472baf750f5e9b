"""The archive is checked series by series: an honest one passes, each fault is caught by its rule, alone."""

from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd
import pytest

from checks.archive import COLUMNS, by_role, load_archive, raw_suite
from checks.runner import RuleResult, run_by_row
from tests.builders import a_series, an_archive

RUN_DATE = dt.date(2026, 5, 31)
SERIES = [a_series("UNRATE"), a_series("DGS10"), a_series("VIXCLS")]
CLEAN = {
    "series_id": "UNRATE", "rows_held": 500, "value_min": 3.4, "value_max": 14.8,
    "plausible_min": 0.0, "plausible_max": 30.0, "rows_after_run": 0, "rows_after_capture": 0,
    "rows_before_observation": 0, "fetch_status": "unchanged", "fetch_message": None, "rows_contradicted": 0,
    "unit_stated": "Percent",
    "unit_kind_stated": "pct", "unit_kind": "pct", "frequency_stated": "M", "frequency": "M",
    "days_since_period": 31, "due_after_days": 55, "staleness_limit_days": 130, "newest_change": 0.1,
    "largest_change": 10.4, "median_change": 0.1, "newest_revision": 0.1, "largest_revision": 0.1,
}  # fmt: skip
FAULTS = {
    "observation_date__not_after_run": {"rows_after_run": 1},
    "observation_date__not_after_capture": {"rows_after_capture": 1},
    "realtime_start__not_before_observation": {"rows_before_observation": 1},
    "value__not_below_plausible": {"value_min": -0.1},
    "value__not_above_plausible": {"value_max": 4300.0},
    "unit_kind__as_declared": {"unit_kind_stated": "usd_mn"},
    "frequency__as_declared": {"frequency_stated": "Q"},
    "unit__understood": {"unit_stated": "Furlongs", "unit_kind_stated": None},
    "fetch_status__not_refused": {"fetch_status": "refused", "fetch_message": "UNRATE.csv: duplicate_key"},
    "fetch_status__reached": {"fetch_status": "unreachable", "fetch_message": "FRED responded 503"},
    "fetch__agrees_with_archive": {"rows_contradicted": 1},
    "last_observation__not_overdue": {"days_since_period": 56},
    "last_observation__not_stale": {"days_since_period": 131},
    "value__jump_within_history": {"newest_change": 16.0},
    "value__revision_within_history": {"newest_revision": 0.6},
}


def archive_rows(*changes: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([{**CLEAN, **change} for change in changes])[list(COLUMNS)]


def failed(results: tuple[RuleResult, ...]) -> list[str]:
    return [result.rule.name for result in results if not result.passed]


def test_every_rule_finds_its_fault_alone_and_each_row_is_checked_by_itself() -> None:
    assert {rule.name for rule in raw_suite().rules} == set(FAULTS)
    absent = dict.fromkeys(("value_min", "value_max", "unit_stated", "days_since_period", "newest_change"))
    frame = archive_rows(*FAULTS.values(), {}, absent)
    by_row = run_by_row(frame, raw_suite())
    assert [failed(results) for results in by_row] == [[rule] for rule in FAULTS] + [[], []]
    nothing_stored = {result.rule.name: result for result in by_row[-1]}
    for name in ("value__not_below_plausible", "last_observation__not_stale", "value__jump_within_history"):
        assert nothing_stored[name].message == "nothing to check." and not nothing_stored[name].evaluated_rows
    assert nothing_stored["observation_date__not_after_run"].evaluated_rows == 1


def test_a_series_nothing_depends_on_warns_and_another_blocks() -> None:
    (results,) = run_by_row(archive_rows({"rows_after_run": 2}), raw_suite())
    context = a_series("VIXCLS")
    assert context.role == "context"
    warned = tuple(by_role(result, [context]) for result in results)
    assert {r.severity for r in warned} == {"warning"}
    assert failed(warned) == ["observation_date__not_after_run"]
    assert tuple(by_role(result, [a_series("UNRATE")]) for result in results) == results


def rows(con: duckdb.DuckDBPyConnection, *vintages: tuple[object, ...]) -> None:
    con.executemany("INSERT INTO raw.vintages VALUES (?, ?, ?, ?, ?, ?, 'f')", list(vintages))


NIGHT = dt.datetime(2026, 6, 1)


def test_the_archive_is_counted_as_one_row_per_series_in_the_order_asked_for() -> None:
    with an_archive() as con:
        rows(
            con,
            ("UNRATE", "2026-03-01", "2026-04-10", 4.2, "lag_rule", NIGHT),
            ("UNRATE", "2026-04-01", "2026-05-10", 4.4, "lag_rule", NIGHT),
            ("DGS10", "2026-06-02", "2026-05-29", 900.0, "captured", NIGHT),
            ("DGS10", "2026-05-28", "2026-05-01", 4.4, "lag_rule", NIGHT),
        )
        frame = load_archive(con, SERIES, RUN_DATE)
    assert frame["series_id"].tolist() == ["UNRATE", "DGS10", "VIXCLS"]
    assert frame["rows_held"].tolist() == [2, 2, 0]
    found = {r["series_id"]: failed(results) for r, results in _checked(frame)}
    assert found == {
        "UNRATE": [],
        "DGS10": [
            "observation_date__not_after_run",
            "observation_date__not_after_capture",
            "realtime_start__not_before_observation",
            "value__not_above_plausible",
        ],
        "VIXCLS": [],
    }


_FETCHED = """
INSERT INTO raw.fetches (fetch_id, series_id, source, run_id, profile, fetched_at, status, is_complete, rows_new,
  rows_revised, rows_corrected, rows_unchanged, requests, seconds)
SELECT DISTINCT series_id, series_id, 'fred', 'r', 'sample', TIMESTAMP '2026-06-01', 'new', true, 1, 0, 0, 0, 1, 0.1
FROM raw.vintages
"""


def monthly_unemployment(values: list[float]) -> list[tuple[object, ...]]:
    months = pd.date_range(end="2026-04-01", periods=len(values), freq="MS")
    days = months + pd.Timedelta(days=40)
    return [
        ("UNRATE", m.date(), d.date(), v, "lag_rule", NIGHT)
        for m, d, v in zip(months, days, values, strict=True)
    ]


def test_changes_revisions_and_age_are_measured_as_known_by_the_run_date() -> None:
    with an_archive() as con:
        rows(
            con,
            *monthly_unemployment([4.0, 4.1] * 40 + [4.4]),
            ("UNRATE", "2026-03-01", "2026-05-20", 5.1, "captured", NIGHT),  # was 4.1
            ("UNRATE", "2026-02-01", "2026-06-02", 9.9, "captured", NIGHT),  # known after the run date
            ("DFEDTARU", "2024-01-01", "2024-01-01", 5.5, "lag_rule", NIGHT),
        )
        con.execute(_FETCHED)
        frame = load_archive(con, [a_series("UNRATE"), a_series("DFEDTARU")], RUN_DATE).set_index("series_id")
    row = frame.loc["UNRATE"]
    assert (row["days_since_period"], row["staleness_limit_days"]) == (31, 130)
    assert (row["newest_change"], row["largest_change"]) == (pytest.approx(0.7), pytest.approx(1.1))
    assert (row["newest_revision"], pd.isna(row["largest_revision"])) == (pytest.approx(1.0), True)
    assert frame.loc["DFEDTARU", ["days_since_period", "newest_change", "newest_revision"]].isna().all()


def _checked(frame: pd.DataFrame) -> list[tuple[pd.Series, tuple[RuleResult, ...]]]:
    return [(frame.iloc[n], results) for n, results in enumerate(run_by_row(frame, raw_suite()))]
