"""`docs/methodology.md` has every parameter, table and series, its figures are computed, and its sentence on policy."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.sensitivity import method_variants
from assets.compute.registry import REGISTRY
from assets.report.policy_sentence import Policy, gap_words, policy_sentence
from docs._generate.methodology import HEADING, PAGE, decision_table, parameters, shown, with_parameters
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


def test_what_other_choices_would_change(variants: pd.DataFrame) -> None:
    score, limits = on_sample().frame["bubble_score"], on_sample().catalog.method.state.depression
    families = variants.loc["valuation_by_families", "variant_score"]
    moved = families - score
    quoted(f"the score would move by {moved.min():+.2f} to {moved.max():+.2f}")
    quoted(f"lie {limits.enter_score - families['2020-05-31']:.3f} below the threshold of a depression")
    quoted(f"September 2012 {families['2012-09-30'] - limits.leave_score:.3f} above its exit")
    quoted(
        "December 1999, March 2000, November 2010 and September 2012 would be `mid_cycle`, in the sample and"
    )
    plain = variants.loc["without_hysteresis", "condition_state_variant"]
    assert [plain[day] for day in FAMOUS] == ["mid_cycle"] * len(FAMOUS)
    quoted("twelve still calls August 2019 tightening")
    assert variants.loc[("rate_window_12m", "2019-08-31"), "stance_variant"] == "tightening"


def test_what_ranks_alone_would_change() -> None:
    valuation = on_sample().regime.conditions["valuation"]
    alone = pd.Series(valuation.reweighted([1.0, 0.0, 0.0]), index=on_sample().frame.index)
    both = on_sample().frame["valuation_score"]
    quoted(f"November 2021 would have a valuation of {alone['2021-11-30']:.2f}, below the 0.70")
    quoted(f"one of {alone['2022-12-31']:.2f} instead of {both['2022-12-31']:.2f}")


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


def test_gold_money_and_prices_of_the_longer_series(full: Computed) -> None:
    newest = full.tables["gold_and_inflation"].frame.iloc[-1]
    short, long = newest["gold_cpi_correlation_1y"], newest["gold_cpi_correlation_10y"]
    quoted(
        f"about the same, {newest['gold_over_cpi_multiple']:.1f}, and the correlations are {short:.2f} and {long:.2f}"
    )
    assert (newest["separate_10y_windows"], newest["history_start_date"].year) == (5, 1975)
    money = full.tables["money_and_rates"].frame.iloc[-1]
    assert money["m2_real_fed_funds_correlation_full"] == pytest.approx(-0.06, abs=0.005)
    assert money["m2_real_rate_correlation_full"] == pytest.approx(-0.08, abs=0.005)


def test_the_premium_after_purchases_on_the_longer_series(full: Computed) -> None:
    study = full.run.table("event_study")
    three = study[(study["measure"] == "erp_vs_nominal_10y") & (study["horizon_months"] == 3)]
    assert (
        set(three.loc[three["change"] > 0, "phase"]) == {"qe1", "qe4_2020"} and three["change"].notna().all()
    )
    page = (PAGE.parent / "post.md").read_text(encoding="utf-8")
    assert "it rose after QE1 and March 2020 and fell after the other four" in page


# ---- the sentence about policy: one for every combination of published values, no two the same

COLUMNS = {column.name: column for column in load_catalog().tables["regime"].columns}
TESTS = (*COLUMNS["balance_sheet_test"].values, None)
VALUES = (
    COLUMNS["stance"].values,
    COLUMNS["stance_driver"].values,
    ("accommodative", "neutral", "restrictive", None),
    TESTS,
    TESTS,
    (*COLUMNS["monetisation_band"].values, None),
    (True, False, None),
)
CODES = re.compile(r"stimul|technical|leaning|monetis|_|None|\{|  | ,|\(\)")  # and gaps and empty brackets
OTHER_WORDS = {"easing": ("tightening",), "tightening": ("easing",), "neutral": ("easing", "tightening")}


@pytest.mark.parametrize("stance", VALUES[0])
@pytest.mark.parametrize("driver", VALUES[1])
def test_every_combination_is_one_sentence_of_its_own(stance: str, driver: str) -> None:
    seen = set()
    for combination in itertools.product(*VALUES[2:]):
        for figures in ({}, {"share_pct": 10.7, "real_rate_pct": 0.71, "taylor_gaps_pp": (-0.43, -1.93)}):
            text = policy_sentence(Policy(stance, driver, *combination, **figures))
            assert re.findall(r"[.!?](?:\s|$)", text) == ["."], text
            assert text[0].isupper() and not CODES.search(text) and text.count("(") == text.count(")"), text
            direction = text.removeprefix("As a direction policy is ").split()[0].rstrip(",")
            assert not any(word in text for word in OTHER_WORDS[direction]), text
            seen.add(text)
    at_limit = 1 + 2  # with a share near a limit the four bands read the same
    assert len(seen) == 4 * 25 * 3 * (6 + at_limit), "two combinations read the same"


@pytest.mark.parametrize(
    ("share", "band", "expected"),
    [
        (8.9, "none", "less than a tenth"),
        (9.0, "none", "about a tenth of new federal debt, at the limit"),
        (11.0, "building", "about a tenth of new federal debt, at the limit"),
        (11.1, "building", "a tenth to a quarter"),
        (24.5, "building", "about a quarter of new federal debt, at the limit"),
        (75.4, "dominant", "about three quarters of new federal debt, at the limit"),
        (10.2, "not_applicable", "the deficit is too small"),
    ],
)
def test_a_band_is_not_asserted_at_its_limit(share: float, band: str, expected: str) -> None:
    policy = Policy("neutral", "none", None, None, None, band, None, share_pct=share)
    assert expected in policy_sentence(policy)


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((-0.43, -1.2, -1.93), "0.4 to 1.9\u202fpp below"),
        ((0.5, 1.0), "0.5 to 1.0\u202fpp above"),
        ((-0.3, 0.2), "from 0.3\u202fpp below to 0.2\u202fpp above"),
        ((0.71,), "0.7\u202fpp above"),
        ((0.0, 0.04), "at"),
        ((0.0, -0.4), "0.0 to 0.4\u202fpp below"),
    ],
)
def test_the_gap_is_a_range_with_its_side(gaps: tuple[float, ...], expected: str) -> None:
    assert gap_words(gaps) == expected


def test_the_methodology_shows_the_tables() -> None:
    rows = [f"| {subject} | {value} | {text} |" for subject, value, text in decision_table()]
    assert "\n".join(rows) in TEXT
