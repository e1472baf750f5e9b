"""What the record shows: phases of purchases, base rates, recessions, returns after each label, and the long record."""

from __future__ import annotations

import datetime as dt
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Recession, RecessionLedger
from assets.compute.archive import cut
from assets.compute.diagnostics.long_record import long_record, recession_overlap
from assets.compute.diagnostics.returns import (
    AssetPath,
    forward,
    par_bond_returns,
    returns_by_regime,
    returns_by_spell,
    spells_of,
)
from assets.compute.phases import inflation_verdict, phases_until, verdict
from tests import plain_long
from tests.helpers import Computed, on_real_series, on_sample
from tests.unit.test_methodology import quoted

CATALOG = load_catalog()
LIMITS = CATALOG.method.verdict
RULES = CATALOG.method.forward_returns.model_copy(update={"bootstrap_draws": 200})
NAN = float("nan")
A, B = "stimulus_into_bubble", "neutral_mid_cycle"
SCORES = ("bubble", "valuation", "economy", "credit")


# ---- phases and base rates


def on(run_date: str) -> list[str]:
    return list(
        phases_until(np.datetime64(run_date), CATALOG.policy_events.events, dt.date(2025, 11, 5))["phase"]
    )


def test_phases_are_the_starts_announced_by_the_run_date() -> None:
    assert on("2026-05-31") == [
        "qe1", "qe2", "qe3", "bills_2019", "qe4_2020", "post", "reserves_2025", "today",
    ]  # fmt: skip
    assert on("2012-09-12") == ["qe1", "qe2", "today"], "the day before it was announced"
    assert on("2012-09-13") == ["qe1", "qe2", "qe3", "today"]


def test_limits_of_a_verdict_belong_to_it_and_inflation_is_cold_when_low_or_falling() -> None:
    found = verdict(np.array([0.70, 0.69, 0.51, 0.50, NAN]), LIMITS.valuation_hot, LIMITS.valuation_cold)
    assert found.tolist() == ["hot", "between", "between", "cold", None]
    for core, change in product((2.8, 2.0, 1.99, NAN), (0.5, -0.29, -0.3, NAN)):
        plain = None if np.isnan(core) else "cold" if core < 2.0 or change <= -0.3 else "hot"
        assert inflation_verdict(np.array([core]), np.array([change]), LIMITS).tolist() == [plain], (
            core,
            change,
        )


def phases() -> pd.DataFrame:
    return on_sample().phases.frame.set_index("phase")


@pytest.mark.parametrize(
    ("phase", "known_until", "drawdown", "change"),
    [
        # October 2008's average, 57.4156, is the newest; the high is that of October 2007, 95.1495
        ("qe1", "2008-10-31", 100 * (57.4156 / 95.1495 - 1), 100 * (57.4156 / 95.1495 - 1)),
        # Sunday, 15 March 2020: February's average, 128.6936, is the newest, of a high of 130.9052 in January. The fall
        # of March is in no average before 31 March; February 2019 was 117.2234.
        ("qe4_2020", "2020-02-29", 100 * (128.6936 / 130.9052 - 1), 100 * (128.6936 / 117.2234 - 1)),
    ],
)
def test_the_share_price_of_a_crisis_day_is_the_newest_average_known_and_dated(
    phase: str, known_until: str, drawdown: float, change: float
) -> None:
    row = phases().loc[phase]
    assert (row["equity_price_basis"], str(row["equity_price_date"].date())) == ("oecd_shares", known_until)
    assert row["equity_drawdown_pct"] == pytest.approx(drawdown, abs=1e-9)
    assert row["equity_return_12m_pct"] == pytest.approx(change, abs=1e-9)


def test_a_phase_looks_the_same_when_computed_on_its_own_day() -> None:
    early = on_sample("2025-11-05").phases.frame.set_index("phase")
    later = [
        name for name in phases().columns if not name.endswith("_after") and name not in ("kind", "title")
    ]
    pd.testing.assert_series_equal(
        early.loc["today", later], phases().loc["post", later], check_names=False, check_dtype=False
    )
    assert early.loc["post", "date_after"] is pd.NaT


def rows(first: str, scores: list[float], state: str = "mid_cycle") -> pd.DataFrame:
    """`regime` of month-ends; no score where it is negative."""
    score = pd.Series(scores).where(pd.Series(scores) >= 0)
    names = ("bubble", "valuation", "economy", "inflation", "credit")
    days = pd.DataFrame({"as_of_date": pd.date_range(first, periods=len(scores), freq="ME")})
    return days.assign(is_month_end=True, condition_state=state, **{f"{name}_score": score for name in names})


def test_the_base_rates_of_the_sample() -> None:
    """Each counted over the published columns; they are the methodology's to a point."""
    table = on_sample().run.table("base_rates").set_index(["condition", "verdict"])
    scored = on_sample().frame.dropna(subset="bubble_score")
    for (condition, named), row in table.drop("inflation", level="condition").iterrows():
        score = scored[f"{condition}_score"]
        met = score >= row["limit_value"] if named == "hot" else score <= row["limit_value"]
        assert (row["month_ends"], row["of_month_ends"]) == (met.sum(), len(scored))
    core = on_sample().tables["activity_inflation"].frame.set_index("as_of_date").loc[scored.index]
    fell = core["core_pce_yoy_change_6m_pp"].round(9) <= -0.3
    assert table.loc[("inflation", "cold"), "month_ends"] == ((core["core_pce_yoy_pct"] < 2.0) | fell).sum()
    reference = {"valuation": (30, 31), "economy": (68, 18), "credit": (42, 19)}
    for condition, expected in reference.items():
        found = [100.0 * table.loc[(condition, named), "share"] for named in ("hot", "cold")]
        assert found == pytest.approx(expected, abs=1.0), condition
    hot, cold = (
        table["share"].xs(named, level="verdict").mul(100).round().astype(int) for named in ("hot", "cold")
    )
    quoted(
        f"valuation hot {hot['valuation']} percent and cold {cold['valuation']}, economy {hot['economy']} and "
        f"{cold['economy']}, inflation {hot['inflation']} and {cold['inflation']}, credit {hot['credit']} and "
        f"{cold['credit']}."
    )


def test_a_recession_begins_after_its_peak_and_ends_with_its_trough() -> None:
    ledger = RecessionLedger(
        checked_until="2001-06-30",
        source="somebody who dates them",
        mark="V",
        recession=[{"peak_month": "2001-01-01", "trough_month": "2001-03-01"}],
    )
    found = recession_overlap(rows("2001-01-31", [0.3] * 8, "depression"), ledger).set_index(
        "condition_state"
    )
    assert found.loc["depression", ["month_ends", "recession_month_ends"]].tolist() == [6, 2]
    assert str(found.loc["depression", "last_date"].date()) == "2001-06-30"


@pytest.mark.parametrize(("peak", "trough"), [("2001-03-01", "2001-03-01"), ("2001-03-02", "2001-11-01")])
def test_a_recession_that_cannot_be_is_refused(peak: str, trough: str) -> None:
    with pytest.raises(ValueError, match="key '"):
        Recession(peak_month=peak, trough_month=trough)


def test_every_month_is_in_a_recession_as_fred_has_it(realdata: Path) -> None:
    fred = pd.read_csv(realdata / "USREC.csv", parse_dates=["date"]).set_index("date")["value"]
    ledger = CATALOG.recessions
    until = pd.Timestamp(ledger.checked_until)
    ours = pd.Series(0, fred[:until].index)
    for one in ledger.recessions:
        ours[pd.Timestamp(one.peak_month) + pd.DateOffset(months=1) : pd.Timestamp(one.trough_month)] = 1
    since = pd.Timestamp(ledger.recessions[0].peak_month)
    assert ours[since:].index[-1] == pd.Timestamp("2026-03-01")
    assert (ours[since:] == fred[since:until]).all()


def test_most_depression_months_of_the_sample_are_not_recessions() -> None:
    table = on_sample().run.table("recession_overlap").set_index("condition_state")
    row = table.loc["depression"]
    quoted(
        f"in the sample {row['recession_month_ends']} of {row['month_ends']} `depression` month-ends lie in one "
        f"({100 * row['recession_share']:.0f} percent), and {row['recession_month_ends']} of the "
        f"{row['all_recession_month_ends']} recession month-ends are a `depression`"
    )
    assert table["recession_month_ends"].sum() == row["all_recession_month_ends"]
    assert table.loc["bubble", "recession_month_ends"] == 0


# ---- what followed


def labels(*runs: tuple[str, int]) -> np.ndarray:
    return np.array([name for name, length in runs for _ in range(length)], dtype=object)


def path(level: np.ndarray) -> AssetPath:
    return AssetPath("gold", "monthly_average", level, 1)


def test_a_bond_whose_yield_stays_earns_its_coupon() -> None:
    earned = par_bond_returns(np.full(3, 6.0))
    assert np.isnan(earned[0])
    # a coupon of 6 % paid half-yearly is worth a little more than par a month on, net of nothing: 0.5 % a month
    np.testing.assert_allclose(earned[1:], 0.005, atol=1e-4)


def test_a_point_more_yield_costs_a_ten_year_bond_about_its_duration() -> None:
    assert par_bond_returns(np.array([4.0, 5.0]))[1] == pytest.approx(-0.0747, abs=0.001)
    assert par_bond_returns(np.array([4.0, 3.0]))[1] == pytest.approx(0.0884, abs=0.002)


def test_a_return_is_from_the_month_end_to_the_horizon_and_never_from_the_future() -> None:
    found = forward(np.array([100.0, 110.0, 121.0, 133.1]), 3)
    np.testing.assert_allclose(found, [33.1, np.nan, np.nan, np.nan])
    assert np.isnan(forward(np.array([1.0, 2.0]), 36)).all()


def test_the_last_run_is_open_and_unscored_months_are_no_spell() -> None:
    runs = spells_of(labels(("indeterminate", 3), (A, 2), (B, 4), (A, 1)))
    assert [(s.regime, s.first, s.last, s.is_open) for s in runs] == [
        (A, 3, 4, False), (B, 5, 8, False), (A, 9, 9, True),
    ]  # fmt: skip


def test_few_spells_have_no_interval_and_many_have_the_same_on_every_run() -> None:
    few = labels(*[(A, 3), (B, 3)] * 4)
    many = labels(*[(A, 3), (B, 3)] * 12)
    level = np.exp(np.random.default_rng(1).normal(0.01, 0.05, len(many)).cumsum())
    assert returns_by_regime(few, [path(level[: len(few)])], RULES)["interval_low_pct"].isna().all()
    once, again = (returns_by_regime(many, [path(level)], RULES) for _ in range(2))
    assert once.equals(again)
    row = once.set_index(["regime", "horizon_months"]).loc[(A, 3)]
    assert row["interval_low_pct"] < row["mean_return_pct"] < row["interval_high_pct"]


def test_overlap_is_what_is_left_when_windows_share_no_month() -> None:
    label = labels((A, 7), (B, 5))
    frame = returns_by_regime(label, [path(np.arange(1.0, 13.0))], RULES)
    row = frame[(frame["regime"] == A) & (frame["horizon_months"] == 3)].iloc[0]
    assert (row["month_ends_measured"], row["overlapping_month_ends"]) == (
        7,
        4,
    )  # months 0, 3 and 6 share no month


def test_a_spell_is_measured_from_its_first_month_end() -> None:
    label = labels((A, 2), (B, 4))
    ends = np.array([f"2020-0{m}-01" for m in range(2, 8)], dtype="datetime64[D]") - 1
    frame = returns_by_spell(ends, label, [path(np.array([1.0, 1.0, 2.0, 1.0, 1.0, 3.0]))], RULES)
    three = frame[frame["horizon_months"] == 3].set_index("regime")["return_pct"]
    assert three[A] == pytest.approx(0.0)
    assert three[B] == pytest.approx(50.0)


# ---- the long record


@pytest.fixture(scope="module")
def real(realdata: Path) -> Computed:
    return on_real_series(realdata)


@pytest.fixture(scope="module")
def record(real: Computed) -> pd.DataFrame:
    return real.run.table("long_record").set_index("month_end_date")


@pytest.mark.slow
def test_every_month_before_the_published_record_agrees_with_plain_pandas(
    realdata: Path, record: pd.DataFrame
) -> None:
    plain = plain_long.record(realdata)
    found = record[record["is_before_published_record"]]
    assert list(found.index) == list(plain.index) and len(plain) == 383
    for name in SCORES:
        np.testing.assert_allclose(found[f"{name}_score"], plain[name], rtol=0, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(found["rate_change_6m_pp"], plain["rate"], rtol=0, atol=1e-9)
    assert list(found["condition_state"]) == list(plain["state"])
    assert list(found["regime"]) == list(plain["label"])
    in_state = plain["state"] == "depression"
    counted = found["recession_outcome"].value_counts()
    scored = plain["state"] != "indeterminate"
    assert counted.to_dict() == {
        "hit": int((in_state & plain["recession"]).sum()),
        "false_alarm": int((in_state & ~plain["recession"]).sum()),
        "missed": int((scored & ~in_state & plain["recession"]).sum()),
        "neither": int((scored & ~in_state & ~plain["recession"]).sum()),
    }


def test_what_cannot_be_known_is_absent_with_its_reason(record: pd.DataFrame) -> None:
    assert record.loc["1963-01-31", "condition_state"] == "indeterminate"
    assert "baa_10y_spread history_too_short" in record.loc["1963-01-31", "indeterminate_reason"]
    assert "gz_spread not_yet_published" in record.loc["1963-03-31", "absent_inputs"]
    assert record.loc["1963-03-31", "condition_state"] != "indeterminate"
    assert record["coverage"].between(0.0, 1.0).all()
    scored = record["bubble_score"].notna()
    assert (record.loc[scored, "coverage"] >= 0.5).all()
    assert record.loc[~scored, "indeterminate_reason"].notna().all()


def test_nothing_that_became_public_later_enters_a_row(real: Computed, record: pd.DataFrame) -> None:
    day = np.datetime64("1975-06-30")
    early = long_record(cut(real.run.archive, day), real.catalog, "live", day).set_index("month_end_date")
    reasons = ["indeterminate_reason", "absent_inputs"]  # a series without a figure yet is not in the archive
    pd.testing.assert_frame_equal(
        early.drop(columns=reasons), record[: pd.Timestamp(day)].drop(columns=reasons)
    )


def test_cases_are_counted_from_the_record_with_the_misses_first(
    real: Computed, record: pd.DataFrame
) -> None:
    cases = real.run.table("long_record_cases")
    usrec = record["recession_outcome"].isin(["hit", "missed"])
    for row in cases.itertuples():
        months = record[row.first_date : row.last_date]
        assert row.month_ends == len(months)
        if row.kind == "recession":
            assert usrec[months.index].all()
            assert row.is_miss == ((months["condition_state"] == "depression").sum() == 0)
        else:
            assert set(months["condition_state"]) == {row.kind}
            assert row.overlap_month_ends == usrec[months.index].sum()
    for _, of_kind in cases.groupby("kind"):
        order = of_kind["is_miss"].map({True: 0, False: 1}).fillna(2)
        assert order.is_monotonic_increasing
    spells = (record["condition_state"] != record["condition_state"].shift()) & record[
        "condition_state"
    ].isin(["bubble", "depression"])
    assert (cases["kind"] != "recession").sum() == spells.sum()
    nineties = cases[cases["first_date"] == "1993-04-30"].iloc[0]
    assert (
        nineties["is_recession_after"]
        and nineties["price_after_end_pct"] < 0 < nineties["price_after_start_pct"]
    )
    assert cases.loc[cases["last_date"] == "2026-05-31", "is_miss"].isna().all()


def test_what_followed_a_spell_agrees_with_plain_pandas(real: Computed, realdata: Path) -> None:
    price, recession = (
        pd.read_csv(realdata / f"{name}.csv", parse_dates=["date"]).set_index("date")["value"]
        for name in ("SHILLER_SP_PRICE", "USREC")
    )
    begins = recession.index[(recession == 1) & (recession.shift() == 0)]

    def after(month: pd.Period) -> float:
        later = price.get((month + 36).to_timestamp(), np.nan)
        return float(100.0 * (later / price[month.to_timestamp()] - 1.0))

    cases = real.run.table("long_record_cases")
    spells = cases[cases["kind"] != "recession"]
    assert len(spells) == 16
    for row in spells.itertuples():
        first, last = row.first_date.to_period("M"), row.last_date.to_period("M")
        assert row.price_after_start_pct == pytest.approx(after(first), abs=1e-9, nan_ok=True)
        assert row.price_after_end_pct == pytest.approx(after(last), abs=1e-9, nan_ok=True)
        followed = bool(((begins >= first.to_timestamp()) & (begins <= (last + 24).to_timestamp())).any())
        is_open = not followed and (last + 24).to_timestamp() > recession.index[-1]
        assert row.is_recession_after == (None if is_open else followed)
        if row.kind == "depression":
            assert row.is_miss == (row.overlap_month_ends == 0)
        elif not is_open:
            assert row.is_miss == (not followed and after(first) >= 0.0)


def test_a_profile_without_the_history_has_no_label_and_states_why() -> None:
    record = on_sample().run.table("long_record")
    assert (record["month_end_date"].min(), record["month_end_date"].max()) == (
        pd.Timestamp("1963-01-31"),
        pd.Timestamp("1994-11-30"),
    )
    assert set(record["condition_state"]) == {"indeterminate"}
    assert record["bubble_score"].isna().all() and record["recession_outcome"].isna().all()
    assert record["indeterminate_reason"].str.contains("is below 0.50").all()
    assert on_sample().run.table("long_record_cases").empty
