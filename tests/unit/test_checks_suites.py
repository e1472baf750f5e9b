"""Every judged table passes as the sample gives it, and no spoilt one gets by.

Named faults show one rule each; the slow test at the end shows that no rule of any suite is one that cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from checks.registry import JUDGEMENT, suite_of
from tests.judged import AS_OF, Frames, broken, clean_frames, judge, spoilt_frames

Spoil = Callable[[pd.DataFrame], pd.DataFrame]
ERP = "equity_risk_premium"


def at(date: str, **values: object) -> Spoil:
    """Other values in the rows of one as-of date."""

    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        for column, value in values.items():
            frame.loc[frame["as_of_date"] == date, column] = value
        return frame

    return spoil


def scaled(column: str, factor: float, first: str = "1900-01-01") -> Spoil:
    """A column in another unit, from a date on."""

    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["as_of_date"] >= first, column] *= factor
        return frame

    return spoil


def where(condition: Callable[[pd.DataFrame], pd.Series], **values: object) -> Spoil:
    """Other values in the first row for which a condition holds."""

    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame.index[condition(frame)][0]
        for column, value in values.items():
            frame.loc[row, column] = value
        return frame

    return spoil


def caveat(caveat_id: str, **values: object) -> Spoil:
    """Other values in the row of one caveat."""
    return where(lambda f: f["caveat_id"] == caveat_id, **values)


# table, the rule that must say so, what went wrong
FAULTS: list[tuple[str, str, Spoil]] = [
    ("real_yields", "table__columns_in_order", lambda f: f.rename(columns={"tips_10y_pct": "tips"})),
    ("real_yields", "key__unique", lambda f: pd.concat([f, f.tail(1)], ignore_index=True)),
    ("real_yields", "table__not_empty", lambda f: f.iloc[:0]),
    ("real_yields", "as_of_date__no_gap", lambda f: f[f["as_of_date"] != "2001-09-30"]),
    ("real_yields", "as_of_date__on_grid", lambda f: f.assign(as_of_date=f["as_of_date"].shift(-1, freq=None))),
    ("real_yields", "nominal_10y_pct__type", lambda f: f.assign(nominal_10y_pct=f["nominal_10y_pct"].astype(str))),
    ("real_yields", "nominal_10y_pct__in_range", scaled("nominal_10y_pct", 100.0)),
    ("real_yields", "breakeven_10y_pp__nominal_less_tips", at("2015-06-30", tips_10y_pct=np.nan)),
    ("real_yields", "real_short_rate_pct__short_rate_less_cpi", at("2015-06-30", cpi_yoy_pct=9.0)),
    ("real_yields", "real_10y_pct__as_its_basis_says", at("1995-06-30", expected_inflation_10y_pct=9.0)),
    ("real_yields", "real_10y_basis__never_back", at("2015-06-30", real_10y_basis="nominal_less_expected_inflation")),
    ("real_yields", "nominal_10y_pct__step", at("2015-06-30", nominal_10y_pct=9.0)),
    (ERP, "erp_vs_nominal_10y_pp__yield_less_nominal_10y", at("2020-06-30", erp_vs_nominal_10y_pp=9.0)),
    (ERP, "erp_vs_real_10y_pp__yield_less_real_10y", at("2020-06-30", erp_vs_real_10y_pp=9.0)),
    (ERP, "earnings_yield_basis__reported_where_known", at("2020-06-30", earnings_yield_basis="ttm")),
    (ERP, "equity_price_basis__named_with_price", at("2020-06-30", equity_price_basis=None)),
    (ERP, "erp_vs_real_10y_pp__of_its_basis", at("2020-06-30", erp_vs_real_10y_nipa_pp=9.0)),
    (ERP, "erp_vs_nominal_10y_pp__of_its_basis", at("2020-06-30", erp_vs_nominal_10y_nipa_pp=9.0)),
    (ERP, "equity_return_12m_pct__of_its_basis", at("2020-06-30", equity_price_basis="sp_composite")),
    ("regime", "earnings_yield_basis__as_in_equity_risk_premium", at("2020-06-30", earnings_yield_basis="ttm")),
    ("regime", "equity_price_basis__as_in_equity_risk_premium", at("2020-06-30", equity_price_basis=None)),
    ("regime", "basis_changed__with_label_and_basis", at("2020-06-30", basis_changed=True)),
    (ERP, "equity_drawdown_pct__never_above_the_high", at("2020-06-30", equity_drawdown_pct=3.0)),
    ("credit_spreads", "spread_family_rank__mean_of_present", at("2020-06-30", ebp_pp_rank=0.0)),
    ("credit_spreads", "is_spread_missing__when_no_rank", at("2020-06-30", is_spread_missing=True)),
    ("credit_spreads", "ebp_pp_rank__from_120_values", at("1985-06-30", ebp_pp_rank=0.5)),
    ("credit_spreads", "ebp_pp_window_start_date__first_value", at("2020-06-30", ebp_pp_window_start_date="1990")),
    ("reserve_growth", "fed_assets_usd_bn__not_below_treasuries", scaled("fed_assets_usd_bn", 0.001)),
    ("reserve_growth", "reserve_balances_usd_bn__not_above_assets", scaled("reserve_balances_usd_bn", 1000.0)),
    ("reserve_growth", "fed_assets_usd_bn__step", at("2020-06-30", fed_assets_usd_bn=20000.0)),
    ("reserve_growth", "excess_growth_pp__growth_beyond_need", at("2020-06-30", excess_growth_pp=0.0)),
    ("reserve_growth", "balance_sheet_basis__not_before_walcl", at("1990-06-30", balance_sheet_basis="WALCL")),
    ("activity_inflation", "unemployment_rate_pct__plausible", at("2020-06-30", unemployment_rate_pct=43.0)),
    ("activity_inflation", "cpi_yoy_pct__same_as_real_yields", at("2020-06-30", cpi_yoy_pct=2.0)),
    ("fiscal_and_debt", "deficit_12m_pct_gdp__level_over_gdp", scaled("deficit_12m_usd_bn", 1000.0)),
    ("fiscal_and_debt", "total_debt_usd_bn__not_below_the_publics", scaled("total_debt_usd_bn", 0.5, "2020-01-01")),
    ("monetisation", "monetisation_band__of_its_share", at("2021-09-30", monetisation_band="none")),
    ("monetisation", "debt_quarter_end_date__a_past_quarter_end", at("2021-09-30", debt_quarter_end_date="2021-08-31")),
    ("provenance", "available_on__not_after_as_of", at("2020-06-30", available_on="2020-07-02")),
    ("provenance", "observation_date__where_a_figure_is", at("2020-06-30", observation_date=None)),
    (
        "policy_events",
        "effective_on__not_before_announcement",
        where(lambda f: f["effective_on"].notna(), effective_on=pd.Timestamp("2000-01-01")),
    ),
    ("policy_events", "direction__minus_one_to_one", where(lambda f: f["direction"].notna(), direction=2)),
    ("policy_events", "direction__of_balance_sheet_events_only", where(lambda f: f["kind"] == "rate", direction=1)),
    (
        "reference_values",
        "as_of__not_after_last_check",
        lambda f: f.assign(as_of=[*f["as_of"].iloc[:-1], pd.Timestamp("2030-01-01").date()]),
    ),
    ("regime", "regime__of_stance_and_condition", at("2021-11-30", regime="stimulus_into_depression")),
    ("regime", "bubble_score__mean_of_conditions", at("2021-11-30", bubble_score=0.9)),
    ("regime", "coverage__lowest_of_conditions", at("2021-11-30", coverage=0.2)),
    ("regime", "credit_score__from_50_percent_coverage", at("2021-11-30", credit_coverage=0.4)),
    ("regime", "confidence__product_of_its_parts", at("2021-11-30", confidence=1.0)),
    ("regime", "condition_state__within_leaving_limits", at("2021-11-30", bubble_score=0.3)),
    ("regime", "condition_state__entered_as_confirmed", at("2015-06-30", condition_state="bubble")),
    ("regime", "condition_state__indeterminate_without_score", at("2021-11-30", bubble_score=np.nan)),
    ("regime", "bubble_score__step", at("2021-11-30", bubble_score=0.3)),
    ("regime", "condition_state__no_leap", at("2009-06-30", condition_state="bubble")),
    ("regime", "coverage__not_fallen", at("2026-05-31", coverage=0.2)),
    ("regime", "stance__sign_of_directions", at("2021-11-30", stance="tightening")),
    ("regime", "regime_since__first_of_its_spell", at("2021-11-30", regime_since="2021-11-30")),
    ("regime", "method_sha256__in_force", at("2021-11-30", method_sha256="0" * 64)),
    ("regime", "balance_sheet_test__as_growth_says", at("2021-11-30", balance_sheet_test="shrinking")),
    ("regime_evidence", "contribution__sums_to_bubble_score", scaled("contribution", 1.01)),
    ("regime_evidence", "weight__sums_to_one", scaled("weight", 1.01)),
    ("regime_evidence", "available_on__not_after_as_of", at("2020-06-30", available_on="2020-07-02")),
    ("regime_evidence", "available_on__not_after_as_of", at("2020-06-30", available_on=None)),
    (
        "regime_evidence",
        "component__all_on_every_date",
        lambda f: f[(f["as_of_date"] != "2020-06-30") | (f["component"] != f["component"].iloc[0])],
    ),
    ("regime_evidence", "series_ids__in_catalogue", at("2020-06-30", series_ids="UNRATES")),
    ("regime_nightly", "regime__of_stance_and_condition", lambda f: f.assign(stance="tightening")),
    (
        "late_figures",
        "realtime_start__not_after_as_of",
        lambda f: f.assign(realtime_start=pd.Timestamp("2026-05-08")),
    ),
    ("late_figures", "value_late__another_than_used", lambda f: f.assign(value_late=f["value_used"])),
    (
        "late_figures",
        "captured_at__after_publication",
        lambda f: f.assign(captured_at=f["first_published_at"]),
    ),
    ("caveats", "applies_now__spread_missing_is_said", caveat("corporate_spread_missing", applies_now=False)),
    ("caveats", "applies_now__provisional_stance_is_said", caveat("stance_is_provisional", applies_now=True)),
    ("caveats", "affected_columns__exist", caveat("cape", affected_columns="equity_risk_premium.cape_ratio")),
]  # fmt: skip


def spoilt(table: str, spoil: Spoil) -> Frames:
    return {table: spoil(clean_frames()[table].copy())}


@pytest.mark.parametrize("table", JUDGEMENT)
def test_a_clean_table_passes(table: str) -> None:
    result = judge(table)
    assert [r.message for r in result.failed] == []
    assert not result.is_held
    assert result.sentence.startswith(f"{table}: all {len(result.results)} rules hold on ")


@pytest.mark.parametrize(
    ("table", "rule", "spoil"), FAULTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_fault_is_caught_by_its_rule(table: str, rule: str, spoil: Spoil) -> None:
    result = judge(table, spoilt(table, spoil))
    found = {r.rule.name: r for r in result.failed}
    assert rule in found, sorted(found)
    assert found[rule].rule.what_to_do
    assert found[rule].failing_rows or rule.startswith("table__")
    assert result.is_held == any(r.severity == "critical" for r in result.failed)


def test_a_figure_of_the_future_is_caught_by_the_audit_of_its_table() -> None:
    leaked = at("2020-06-30", available_on=pd.Timestamp("2020-07-15"))(clean_frames()["provenance"].copy())
    result = judge("real_yields", {"provenance": leaked})
    found = {r.rule.name: r for r in result.failed}["table__no_figure_of_the_future"]
    assert (found.failing_rows, found.examples[0]["measured"]) == (1, 15.0)


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 10)])
def test_the_leak_audit_fails_closed_without_provenance(rows: slice) -> None:
    """No day of publication is not a good one."""
    known = clean_frames()["provenance"]
    of_table = known[known["table_name"] == "real_yields"].iloc[rows]
    assert "table__no_figure_of_the_future" in broken(judge("real_yields", {"provenance": of_table}))


def test_a_table_beside_that_is_missing_or_mistyped_is_said_and_held() -> None:
    frames = clean_frames()
    for changed, words in (
        (frames["real_yields"].drop(columns="cpi_yoy_pct"), "column real_yields.cpi_yoy_pct is missing"),
        (
            frames["real_yields"].assign(as_of_date="May 2020"),
            "values of column real_yields.as_of_date are no DATE",
        ),
    ):
        result = judge("activity_inflation", {"real_yields": changed})
        assert [r.rule.name for r in result.failed] == ["cpi_yoy_pct__same_as_real_yields"]
        assert words in result.failed[0].message
        assert result.is_held


def test_a_column_that_is_not_there_keeps_only_its_own_rules_from_being_judged() -> None:
    result = judge(
        "real_yields", {"real_yields": clean_frames()["real_yields"].drop(columns="short_rate_pct")}
    )
    unjudged = {r.rule.name for r in result.failed if r.message.startswith("not judged")}
    assert "real_short_rate_pct__short_rate_less_cpi" in unjudged
    assert "short_rate_pct__type" in unjudged
    assert "breakeven_10y_pp__nominal_less_tips" not in unjudged
    assert broken(result) == {"table__columns_in_order"}


@pytest.mark.slow
@pytest.mark.parametrize("table", JUDGEMENT)
def test_no_rule_is_one_that_cannot_fail(table: str) -> None:
    """Spoilt in every general way and by name, each rule of the suite is seen judging, and failing."""
    ways = [*spoilt_frames(table), *(spoilt(table, spoil) for name, _, spoil in FAULTS if name == table)]
    failed = set().union(*(broken(judge(table, way)) for way in ways))
    rules = {rule.name for rule in suite_of(table, load_catalog(), AS_OF).rules}
    assert rules - failed == set()
