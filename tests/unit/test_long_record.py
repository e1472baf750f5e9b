"""`long_record`: the rule since 1963 against plain pandas, absent inputs by name, and an empty one with its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.compute.archive import cut
from assets.compute.diagnostics.long_record import long_record
from tests import plain_long
from tests.helpers import Computed, on_real_series, on_sample

SCORES = ("bubble", "valuation", "economy", "credit")


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
