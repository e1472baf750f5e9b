"""Every checked table passes as the sample gives it, and every rule is one that can fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from checks.archive import raw_suite
from checks.factories import FIRST_PUBLICATION, all_checks, archive_checks
from checks.identities import IDENTITIES
from checks.rules import Rule, Suite
from checks.runner import run_suites
from checks.tables import PROVENANCE, RULES, checked_tables, suite_of
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
    """A rule that nothing can break would only be counted."""
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


def test_each_fault_names_a_rule_of_its_table() -> None:
    assert set(FAULTS) == {(table, rule.name) for table in RULES for rule in RULES[table]}


def test_each_check_of_a_table_has_one_severity() -> None:
    for suite in (suite_of(table, CATALOG, AS_OF) for table in TABLES):
        severities: dict[str, set[str]] = {}
        for rule in suite.rules:
            severities.setdefault(rule.check, set()).add(rule.severity)
        assert all(len(found) == 1 for found in severities.values()), (suite.table, severities)


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


def test_a_figure_of_the_future_is_counted_in_days() -> None:
    leaked = at("2020-06-30", available_on=pd.Timestamp("2020-07-15"))(clean_frames()[PROVENANCE].copy())
    result = check("real_yields", {PROVENANCE: leaked})
    found = {r.rule.name: r for r in result.failed}["table__no_figure_of_the_future"]
    assert (found.failing_rows, found.examples[0]["measured"]) == (1, 15.0)
    assert result.failed[0].severity == "critical"


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 10)])
def test_the_leak_audit_fails_closed_without_provenance(rows: slice) -> None:
    """No day of publication is not a good one."""
    known = clean_frames()[PROVENANCE]
    of_table = known[known["table_name"] == "real_yields"].iloc[rows]
    failed = {r.rule.name for r in check("real_yields", {PROVENANCE: of_table}).failed}
    assert "table__no_figure_of_the_future" in failed


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
