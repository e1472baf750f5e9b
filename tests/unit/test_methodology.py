"""`docs/methodology.md` has every parameter, table and series, and its figures are those the method computes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.sensitivity import method_variants
from assets.compute.registry import REGISTRY
from docs._generate.methodology import HEADING, PAGE, parameters, shown, with_parameters
from docs._generate.methodology import quoted as quotations
from tests.helpers import Computed, on_real_series, on_sample

TEXT = PAGE.read_text(encoding="utf-8")
PROSE, SOURCES = TEXT[: TEXT.index("## Sources")], TEXT[TEXT.index("## Sources") : TEXT.index(HEADING)]
PARAMETERS = parameters()
DERIVED = [name for name in REGISTRY if load_catalog().tables[name].layer == "derived"]
FAMOUS = ("1999-12-31", "2000-03-31", "2010-11-30", "2012-09-30")


@pytest.fixture(scope="module")
def variants() -> pd.DataFrame:
    sample = on_sample()
    frame = method_variants(sample.regime)
    return frame.set_index(["variant", "as_of_date"])


def quoted(text: str) -> None:
    """The methodology states it in these words."""
    assert text in PROSE, text


def test_the_list_of_parameters_is_the_methods() -> None:
    assert with_parameters(TEXT) == TEXT, "run: python -m docs._generate.methodology"


@pytest.mark.parametrize(("name", "value"), quotations(PROSE))
def test_a_quoted_figure_is_the_methods(name: str, value: str) -> None:
    assert name in PARAMETERS, "no such parameter"
    assert value == shown(PARAMETERS[name])


def test_the_prose_explains_most_parameters() -> None:
    explained = {name for name, _ in quotations(PROSE)}
    assert len(explained) > 0.8 * len(PARAMETERS), sorted(set(PARAMETERS) - explained)


def test_every_series_of_a_condition_the_stance_or_a_table_is_named() -> None:
    catalog = load_catalog()
    used = {
        origin
        for table in DERIVED
        for column in catalog.tables[table].columns
        for origin in column.derived_from
        if "." not in origin
    }
    assert {series_id for series_id in used if series_id not in PROSE + SOURCES} == set()


def test_every_computed_table_is_explained() -> None:
    of_regime = [name for name in REGISTRY if load_catalog().tables[name].layer == "regime"]
    assert [name for name in of_regime if f"`{name}`" not in PROSE] == []
    headings = " ".join(line for line in PROSE.splitlines() if line.startswith("### "))
    assert [name for name in DERIVED if name not in headings.split()] == []


def test_what_families_of_ranks_would_change(variants: pd.DataFrame) -> None:
    score, limits = on_sample().frame["bubble_score"], on_sample().catalog.method.state.depression
    families = variants.loc["valuation_by_families", "variant_score"]
    moved = families - score
    quoted(f"the score would move by {moved.min():+.2f} to {moved.max():+.2f}")
    quoted(f"lie {limits.enter_score - families['2020-05-31']:.3f} below the threshold of a depression")
    quoted(f"September 2012 {families['2012-09-30'] - limits.leave_score:.3f} above its exit")


def test_what_ranks_alone_would_change() -> None:
    valuation = on_sample().regime.conditions["valuation"]
    alone = pd.Series(valuation.reweighted([1.0, 0.0, 0.0]), index=on_sample().frame.index)
    both = on_sample().frame["valuation_score"]
    quoted(f"November 2021 would have a valuation of {alone['2021-11-30']:.2f}, below the 0.70")
    quoted(f"one of {alone['2022-12-31']:.2f} instead of {both['2022-12-31']:.2f}")


def test_a_year_for_the_rate_calls_august_2019_tightening(variants: pd.DataFrame) -> None:
    quoted("twelve still calls August 2019 tightening")
    assert variants.loc[("rate_window_12m", "2019-08-31"), "stance_variant"] == "tightening"
    assert on_sample().frame.loc["2019-08-31", "stance"] == "stimulus"


def test_the_famous_months_need_hysteresis(variants: pd.DataFrame) -> None:
    quoted(
        "December 1999, March 2000, November 2010 and September 2012 would be `mid_cycle`, in the sample and"
    )
    plain = variants.loc["without_hysteresis", "condition_state_variant"]
    assert [plain[day] for day in FAMOUS] == ["mid_cycle"] * len(FAMOUS)


def test_credit_in_1999_is_no_reason_to_leave() -> None:
    credit = on_sample().frame["credit_score"]["1999-09":"1999-12"]
    quoted(f"in the autumn of 1999 it fell to {credit.min():.2f}")
    assert set(on_sample().frame["condition_state"]["1999-09":"1999-12"]) == {"bubble"}


def test_the_debt_limit_of_2021_and_the_spread_of_bill_shares() -> None:
    debt = on_sample().tables["monetisation"].frame.set_index("as_of_date").loc["2021-11-30"]
    quoted(f"(November 2021: {debt['share_12m_of_deficit_pct']:.0f} percent of the deficit)")
    assert pd.isna(debt["share_12m_pct"]) and debt["is_denominator_distorted"]
    assert debt["monetisation_band"] == "active", "by the share of the deficit"
    assert str(debt["debt_date"].date()) == "2021-10-31"
    quoted("standard deviation of about four points")
    shares = on_sample().tables["fiscal_and_debt"].frame["bill_share_change_12m_pp"]
    assert shares.std() == pytest.approx(4.0, abs=0.25)


def test_the_first_purchases_need_both_columns() -> None:
    row = on_sample().phases.frame.set_index("phase").loc["qe1"]
    quoted(
        f"core PCE inflation was known as {row['core_pce_yoy_pct']:.1f} percent, little changed in six months"
    )
    assert abs(row["core_pce_yoy_change_6m_pp"]) < on_sample().catalog.method.verdict.inflation_fall_pp
    after = on_sample().tables["activity_inflation"].frame.set_index("as_of_date").loc["2009-01-31"]
    quoted(f"three month-ends later it was {after['core_pce_yoy_pct']:.1f}")


@pytest.fixture(scope="module")
def full(realdata: Path) -> Computed:
    return on_real_series(realdata)


def test_figures_of_the_longer_series(full: Computed) -> None:
    frame = method_variants(full.regime).set_index(["variant", "as_of_date"])
    plain = frame.loc["without_hysteresis", "condition_state_variant"]
    assert [plain[day] for day in FAMOUS] == ["mid_cycle"] * 4
    credit = full.frame["credit_score"]["1999-09":"1999-12"]
    quoted(f"({credit.min():.2f} in the longer series)")
    for day in ("2009-11-30", "2011-02-28"):
        assert tuple(full.frame.loc[day, ["is_melt_up", "condition_state"]]) == (True, "depression")


def test_melt_ups_and_windows_since_1995_are_those_of_the_longer_series(full: Computed) -> None:
    """Melt-ups of three months and more; whether spring 1996 is a bubble is fragile, and not asserted."""
    assert spans(full.frame["is_melt_up"], 3) == [
        "1998-12..1999-02", "1999-09..2000-03", "2009-10..2010-07", "2010-12..2011-07", "2012-12..2015-02",
        "2019-11..2020-02", "2020-08..2022-03",
    ]  # fmt: skip
    windows = full.frame["is_ideal_time_to_sell_window"]
    fragile = (windows.index >= "1996-03") & (windows.index < "1996-07")
    assert spans(windows[~fragile], 1) == [
        "1998-01..1998-01", "1998-09..1999-04", "2021-06..2022-02", "2025-10..2026-05",
    ]  # fmt: skip


def spans(flags: pd.Series, shortest: int) -> list[str]:
    stored = flags.eq(True)[flags.index >= "1994-12-01"]
    runs = stored.groupby((stored != stored.shift()).cumsum())
    return [
        f"{run.index[0]:%Y-%m}..{run.index[-1]:%Y-%m}"
        for _, run in runs
        if run.iloc[0] and len(run) >= shortest
    ]


def test_on_both_profiles_the_valuation_of_november_2025_had_risen(full: Computed) -> None:
    for computed in (full, on_sample()):
        frame = computed.tables["liquidity_destination"].frame.set_index("as_of_date")
        assert frame.loc["2025-11-30", "valuation_score_change_6m"] > 0


def test_gold_and_prices_since_1975(full: Computed) -> None:
    newest = full.tables["gold_and_inflation"].frame.iloc[-1]
    short, long = newest["gold_cpi_correlation_1y"], newest["gold_cpi_correlation_10y"]
    quoted(
        f"about the same, {newest['gold_over_cpi_multiple']:.1f}, and the correlations are {short:.2f} and {long:.2f}"
    )
    assert (newest["separate_10y_windows"], newest["history_start_date"].year) == (5, 1975)


def test_the_premium_after_purchases_on_the_longer_series(full: Computed) -> None:
    study = full.run.table("event_study")
    three = study[(study["measure"] == "erp_vs_nominal_10y") & (study["horizon_months"] == 3)]
    assert (
        set(three.loc[three["change"] > 0, "phase"]) == {"qe1", "qe4_2020"} and three["change"].notna().all()
    )
    page = (PAGE.parent / "post.md").read_text(encoding="utf-8")
    assert "it rose after QE1 and March 2020 and fell after the other four" in page


@pytest.mark.parametrize("date", ["2010-11-30", "2012-09-30", "2025-11-30"])
def test_trailing_figures_had_not_moved_when_purchases_were_announced(date: str) -> None:
    quoted("at QE2, QE3 and in November 2025 trailing figures had not moved yet")
    assert on_sample().frame.loc[date, "balance_sheet_direction_realised"] < 1
