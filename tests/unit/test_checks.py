"""Rules of tables, of the archive, and what they find: clean data pass, each fault is caught by its rule alone."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from assets.warehouse.writing import append_rows
from checks.expectations import outcomes
from checks.factories import FIRST_PUBLICATION, all_checks, archive_checks, rules_table, sentence
from checks.identities import IDENTITIES
from checks.results import results_frame
from checks.rules import Rule, Suite
from checks.runner import RuleResult, run_by_row, run_suite, run_suites
from checks.series import COLUMNS, by_role, load_archive, raw_suite
from checks.tables import PROVENANCE, checked_tables, suite_of
from tests.builders import a_series, an_archive
from tests.checked_frames import AS_OF, Frames, check, clean_frames

Spoil = Callable[[pd.DataFrame], pd.DataFrame]
CATALOG = load_catalog()
TABLES = checked_tables(CATALOG)


def at(date: str, **values: object) -> Spoil:
    """Other values in the rows of one as-of date."""

    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        for column, value in values.items():
            frame.loc[frame["as_of_date"] == date, column] = value
        return frame

    return spoil


def scaled(column: str, factor: float, first: str) -> Spoil:
    """A column in another unit, from a date on."""

    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["as_of_date"] >= first, column] *= factor
        return frame

    return spoil


# rule of a single table, and what goes wrong
FAULTS: dict[tuple[str, str], Spoil] = {
    ("real_yields", "real_10y_basis__never_back"): at("2015-06-30", real_10y_basis="nominal_less_expected_inflation"),
    ("real_yields", "nominal_10y_pct__step"): at("2015-06-30", nominal_10y_pct=9.0),
    ("credit_spreads", "baa_10y_pp__above_zero"): at("2020-06-30", baa_10y_pp=-0.4),
    ("reserve_growth", "fed_assets_usd_bn__step"): scaled("fed_assets_usd_bn", 2.0, "2020-06-30"),
    ("reserve_growth", "balance_sheet_basis__not_before_walcl"): at("1990-06-30", balance_sheet_basis="WALCL"),
    ("activity_inflation", "unemployment_rate_pct__plausible"): at("2020-06-30", unemployment_rate_pct=43.0),
    ("activity_inflation", "real_gdp_yoy_pct__plausible"): at("2020-06-30", real_gdp_yoy_pct=43.0),
    ("activity_inflation", "core_pce_yoy_pct__plausible"): at("2020-06-30", core_pce_yoy_pct=43.0),
    ("activity_inflation", "cpi_yoy_pct__plausible"): at("2020-06-30", cpi_yoy_pct=43.0),
    ("money_and_rates", "correlation_start_date__never_later"): at("2020-06-30", correlation_start_date="1990-01-01"),
    ("money_and_rates", "m2_real_rate_correlation_full__step"): at("2020-06-30", m2_real_rate_correlation_full=0.9),
    ("provenance", "available_on__not_after_as_of"): at("2020-06-30", available_on="2020-07-02"),
    ("regime", "bubble_score__step"): at("2021-11-30", bubble_score=0.3),
    ("regime", "condition_state__no_leap"): at("2009-06-30", condition_state="bubble"),
    ("regime", "coverage__not_fallen"): at("2026-09-30", coverage=0.2),
    ("regime_evidence", "available_on__not_after_as_of"): at("2020-06-30", available_on="2020-07-02"),
    ("regime_evidence", "observation_date__not_after_publication"): at("2020-06-30", observation_date="2020-07-02"),
    ("regime_evidence", "series_ids__in_catalogue"): at("2020-06-30", series_ids="UNRATES"),
    ("relative_attractiveness", "available_on__not_after_as_of"): at("2020-06-30", available_on="2020-07-02"),
    ("relative_attractiveness", "series_ids__in_catalogue"): at("2020-06-30", series_ids="UNRATES"),
    ("bubble_gauge", "available_on__not_after_as_of"): at("2020-06-30", available_on="2020-07-02"),
    ("bubble_gauge", "series_ids__in_catalogue"): at("2020-06-30", series_ids="UNRATES"),
    ("late_figures", "realtime_start__not_after_as_of"): lambda f: f.assign(realtime_start=pd.Timestamp("2026-05-08")),
    ("late_figures", "captured_at__after_freezing"): lambda f: f.assign(captured_at=f["captured_until"]),
    ("provenance", "observation_date__where_a_figure_is"): at("2020-06-30", observation_date=None),
    ("row_corrections", "column_name__a_cell_of_regime"): lambda f: f.assign(column_name=None),
    ("row_corrections", "value_after__differs_from_before"): lambda f: f.assign(value_after=f["value_before"]),
    ("row_corrections", "first_date__not_after_last"): lambda f: f.assign(first_date=pd.Timestamp("2026-05-31")),
    ("row_corrections", "series_ids__in_catalogue"): lambda f: f.assign(series_ids="NFCIS"),
    ("forward_returns_by_spell", "return_pct__not_from_the_future"): lambda f: f.assign(
        spell_start_date=pd.Timestamp("2026-05-31"), return_pct=1.0
    ),
}  # fmt: skip


def spoilt(table: str, rule: Rule) -> Frames:
    """The table, or the provenance it is read with, so that one rule must fail."""
    frame = clean_frames()[table].copy()
    if frame.empty:  # in the sample; one row is enough to break a rule
        frame = frame.reindex([0])
    if (table, rule.name) in FAULTS:
        return {table: FAULTS[table, rule.name](frame)}
    kind, column, row = (
        rule.name.split("__")[1],
        rule.column_name,
        frame.index[len(frame) // 2 : len(frame) // 2 + 1],
    )
    if kind == "not_empty":
        return {table: frame.iloc[:0]}
    if kind == "no_gap":
        return {table: frame.drop(index=row)}
    if kind == "no_figure_of_the_future":
        known = clean_frames()[PROVENANCE]
        late = known.assign(available_on=known["available_on"] + pd.Timedelta(days=9999))
        figures = frame.select_dtypes("float64").fillna(1.0)
        return {table: frame.assign(**{name: figures[name] for name in figures}), PROVENANCE: late}
    if kind == "allowed_values":
        wrong: object = "nonsense"
    elif kind == "in_range":
        wrong = rule.maximum + 1 if rule.maximum is not None else (rule.minimum or 0) - 1
        frame[column] = frame[column].astype("float64")
    elif kind == "by_its_date":
        wrong = not frame.loc[row, column].iloc[0]
    else:
        wrong = pd.Timestamp(AS_OF) + pd.Timedelta(days=10)
        assert kind in ("on_grid", "not_after_run"), f"{table} {rule.name}: give this rule a fault"
    frame.loc[row, column] = wrong
    return {table: frame}


def test_clean_tables_pass() -> None:
    frames = clean_frames()
    results = run_suites([(frames[name], suite_of(name, CATALOG, AS_OF), frames) for name in TABLES])
    assert [(r.table, f.message) for r in results for f in r.failed] == []


@pytest.mark.parametrize("table", TABLES)
def test_no_rule_is_one_that_cannot_fail(table: str) -> None:
    """A rule that nothing can break would only be counted. A check of a table has one severity."""
    suite = suite_of(table, CATALOG, AS_OF)
    jobs = []
    for rule in suite.rules:
        frames = {**clean_frames(), **spoilt(table, rule)}
        jobs.append((frames[table], Suite(table, suite.key, (rule,)), frames))
    failed = {
        result.results[0].rule.name
        for result in run_suites(jobs)
        if result.failed and not result.results[0].message.startswith("not checked")
    }
    assert {rule.name for rule in suite.rules} - failed == set()
    kinds = {(rule.check, rule.severity) for rule in suite.rules}
    assert len(kinds) == len({rule.check for rule in suite.rules})


def test_a_failed_check_stops_no_table_unless_a_first_publication_is_impossible() -> None:
    """Else everything downstream would be shown as failed without a word; the gate of the release blocks."""
    specs = [spec for made in all_checks(CATALOG) for spec in made.check_specs]
    assert {spec.name for spec in specs if spec.blocking} == {FIRST_PUBLICATION}
    assert len(specs) > len(CATALOG.series) + len(IDENTITIES)


def test_a_series_has_a_check_that_blocks_and_one_that_warns() -> None:
    """Not one for each kind of rule: Dagster stores three events per check and run."""
    names = [spec.name for spec in archive_checks([*CATALOG.series.values()]).check_specs]
    assert Counter(names) == {"validity": len(CATALOG.series), "anomalies": len(CATALOG.series)}
    severities = {(rule.check, rule.severity) for rule in raw_suite().rules}
    assert severities == {("validity", "critical"), ("anomalies", "warning")}


def test_a_former_name_of_a_series_in_a_correction_blocks_nothing() -> None:
    corrections = clean_frames()["row_corrections"].assign(series_ids="NFCIS")
    result = check("row_corrections", {"row_corrections": corrections})
    assert [found.rule.name for found in result.failed] == ["series_ids__in_catalogue"]
    assert result.failed[0].severity == "warning"
    evidence = clean_frames()["regime_evidence"].assign(series_ids="NFCIS")
    assert check("regime_evidence", {"regime_evidence": evidence}).failed[0].severity == "critical"


def test_a_figure_of_the_future_is_counted_in_days_and_none_without_provenance_passes() -> None:
    """No day of publication is not a good one."""
    known, rule = clean_frames()[PROVENANCE], "table__no_figure_of_the_future"
    leaked = at("2020-06-30", available_on=pd.Timestamp("2020-07-15"))(known.copy())
    found = {r.rule.name: r for r in check("real_yields", {PROVENANCE: leaked}).failed}[rule]
    assert (found.failing_rows, found.examples[0]["measured"], found.severity) == (1, 15.0, "critical")
    of_table = known[known["table_name"] == "real_yields"]
    for rows in (0, 10):
        assert rule in {r.rule.name for r in check("real_yields", {PROVENANCE: of_table[:rows]}).failed}


def test_a_missing_column_or_table_blocks_and_keeps_no_other_rule_from_being_checked() -> None:
    frames = clean_frames()
    result = check("real_yields", {"real_yields": frames["real_yields"].drop(columns="nominal_10y_pct")})
    messages = {r.rule.name: r.message for r in result.failed}
    assert set(messages) == {"nominal_10y_pct__in_range", "nominal_10y_pct__step"}
    assert set(messages.values()) == {"not checked: column nominal_10y_pct is missing."}
    suite = suite_of("real_yields", CATALOG, AS_OF)
    (alone,) = run_suites([(frames["real_yields"], suite, {})])
    assert [r.message for r in alone.failed] == ["not checked: table provenance is missing."]
    assert (result.failed[0].severity, alone.failed[0].severity) == ("critical", "critical")


# ---- rules of the archive, series by series

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
SERIES_FAULTS = {
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
    assert {rule.name for rule in raw_suite().rules} == set(SERIES_FAULTS)
    absent = dict.fromkeys(("value_min", "value_max", "unit_stated", "days_since_period", "newest_change"))
    frame = archive_rows(*SERIES_FAULTS.values(), {}, absent)
    by_row = run_by_row(frame, raw_suite())
    assert [failed(results) for results in by_row] == [[rule] for rule in SERIES_FAULTS] + [[], []]
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
    assert frame[["series_id", "rows_held"]].to_numpy().tolist() == [
        ["UNRATE", 2],
        ["DGS10", 2],
        ["VIXCLS", 0],
    ]
    assert [failed(results) for results in run_by_row(frame, raw_suite())] == [
        [],
        [
            "observation_date__not_after_run",
            "observation_date__not_after_capture",
            "realtime_start__not_before_observation",
            "value__not_above_plausible",
        ],
        [],
    ]


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


# ---- what a suite found

FACTS = RunFacts(
    "r1", "sample", dt.date(2026, 5, 31), dt.datetime(2026, 6, 1, tzinfo=dt.UTC), Path(), Path(), "0.1.0"
)
CHECKED_AT = dt.datetime(2026, 6, 1, 1, 30, tzinfo=dt.UTC)
FRAME = pd.DataFrame(
    {"day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]), "level": [1.0, 50.0, None]}
)
LOW = Rule(
    "level__low", ("level",), maximum=10, statement="the level is at most 10", what_to_do="Look at it."
)


def a_suite(*rules: Rule) -> Suite:
    return Suite("real_yields", ("day",), rules)


def test_a_rule_that_fails_names_row_measure_and_limit() -> None:
    result = run_suite(FRAME, a_suite(LOW)).results[0]
    assert result.message == "the level is at most 10: 1 of 2 rows failed, first: day 2026-01-02, level 50.0."
    assert (result.evaluated_rows, result.failing_rows, result.positions.tolist()) == (2, 1, [1])
    assert result.rule.threshold == "<= 10"


def test_a_rule_with_nothing_to_check_is_neither_shown_as_passed_nor_stored() -> None:
    result = run_suite(FRAME.assign(level=np.nan), a_suite(LOW))
    (found,) = result.results
    assert (found.passed, found.was_checked, found.message) == (True, False, "nothing to check.")
    assert "| nothing to check |" in rules_table(result.results)
    assert sentence(result.results, 3) == "0 rules passed on 3 rows; 1 had nothing to check."
    assert results_frame([result], FACTS, "staged", CHECKED_AT).empty


def test_an_empty_table_fails_only_where_rows_are_demanded() -> None:
    result = check("real_yields", {"real_yields": clean_frames()["real_yields"].iloc[:0]})
    assert [r.rule.name for r in result.failed] == ["table__not_empty"]
    assert result.failed[0].message == "there is at least one row: 1 of 1 rows failed."


def test_infinity_is_no_figure() -> None:
    finite = Rule("level__finite", ("level",), statement="it is finite", what_to_do="Look.")
    assert finite.threshold == "finite"
    found = run_suite(FRAME.assign(level=[1.0, np.inf, -np.inf]), a_suite(finite)).results[0]
    assert found.positions.tolist() == [1, 2]


def test_a_crash_of_a_measure_and_a_value_that_is_no_number_are_our_fault_and_no_bad_data() -> None:
    def crash(frame: pd.DataFrame, tables: object) -> pd.Series:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_suite(FRAME, a_suite(replace(LOW, measure=crash)))
    with pytest.raises(ValueError, match="could not convert string to float: 'high'"):
        run_suite(FRAME.assign(level=["high", "low", None]), a_suite(LOW))


def test_rules_checked_together_find_what_each_finds_alone() -> None:
    names = pd.Series(["a", None, "b", "a"])
    texts = [
        Rule("name__x", ("name",), allowed=allowed, statement="listed", what_to_do="y")
        for allowed in (("a",), ("a", "b"), ("b",))
    ]
    pairs = [(replace(LOW, maximum=n), FRAME["level"]) for n in (0, 10, 99)] + [(t, names) for t in texts]
    together = outcomes(pairs)
    alone = [outcomes([pair])[0] for pair in pairs]
    failing = [found.failing.tolist() for found in together]
    assert failing == [found.failing.tolist() for found in alone] == [[0, 1], [1], [], [2], [], [0, 3]]
    assert [len(found.evaluated) for found in together] == [2, 2, 2, 3, 3, 3]


def test_results_are_stored_as_declared_one_row_per_rule() -> None:
    frame = clean_frames()["real_yields"].copy()
    frame.loc[[400, 401], "tips_10y_pct"] = 9000.0
    result = check("real_yields", {"real_yields": frame})
    rows = results_frame([result], FACTS, "staged", CHECKED_AT)
    assert list(rows.columns) == list(CATALOG.tables["check_results"].column_names)
    with an_archive() as con:
        append_rows(con, CATALOG.tables["check_results"], rows)
        stored = con.execute("FROM ops.check_results").df().set_index("check_name")
    assert len(stored) == sum(found.was_checked for found in result.results)
    row, passed = stored.loc["tips_10y_pct__in_range"], stored.loc["as_of_date__no_gap"]
    assert (row["asset_key"], row["severity"]) == ("derived/real_yields", "ERROR")
    assert (row["passed"], row["offending_rows"]) == (False, 2)
    assert json.loads(row["examples"])[0]["tips_10y_pct"] == 9000.0 and row["what_to_do"]
    assert row["checked_at"] == dt.datetime(2026, 6, 1, 1, 30)
    assert passed["passed"] and passed["what_to_do"] is None and passed["examples"] is None
