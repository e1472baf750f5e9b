"""Base rates of the verdicts and the states in recessions: counted again row by row, and against FRED's USREC."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Recession, RecessionLedger
from assets.compute.diagnostics.base_rates import recession_overlap
from tests.helpers import on_sample
from tests.unit.test_methodology import quoted

CATALOG = load_catalog()


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
    for (condition, verdict), row in table.drop("inflation", level="condition").iterrows():
        score = scored[f"{condition}_score"]
        met = score >= row["limit_value"] if verdict == "hot" else score <= row["limit_value"]
        assert (row["month_ends"], row["of_month_ends"]) == (met.sum(), len(scored))
    core = on_sample().tables["activity_inflation"].frame.set_index("as_of_date").loc[scored.index]
    fell = core["core_pce_yoy_change_6m_pp"].round(9) <= -0.3
    assert table.loc[("inflation", "cold"), "month_ends"] == ((core["core_pce_yoy_pct"] < 2.0) | fell).sum()
    reference = {"valuation": (30, 31), "economy": (68, 18), "credit": (42, 19)}
    for condition, expected in reference.items():
        found = [100.0 * table.loc[(condition, verdict), "share"] for verdict in ("hot", "cold")]
        assert found == pytest.approx(expected, abs=1.0), condition
    hot, cold = (
        table["share"].xs(verdict, level="verdict").mul(100).round().astype(int)
        for verdict in ("hot", "cold")
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
