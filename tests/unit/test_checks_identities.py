"""Relations between series hold on real figures, fail on spoilt ones, and say when there was nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from checks.archive import judge_identities
from checks.audits.identities import IDENTITIES
from checks.audits.identity import Identity, identities_suite, key_of, relations
from checks.audits.known import Known
from checks.runner import SuiteResult, run_suite
from tests.builders import an_archive
from tests.integration.sample_night import SAMPLE_END

SAMPLE = PROJECT_ROOT / "sample_data"
OTHER_NAMES = {"SHILLER_PRICE": "SHILLER_SP_PRICE"}
# what is known of series the sample does not have, made up to fit: by day from 2020 on, in the unit of the series
INVENTED = {
    "DFF": 4.0, "DGS3MO": 4.0, "BAA10Y": 2.0, "BAA10YM": 2.0, "AAA10YM": 1.0, "BAMLH0A0HYM2": 4.0,
    "BAMLC0A0CM": 1.5, "SHILLER_PRICE": 5000.0, "SP500": 5000.0, "SHILLER_CPI": 300.0, "WSHOMCB": 5e5,
    "TOTRESNS": 4500.0, "WDTGAL": 8e5, "WTREGEN": 8e5, "TOTLL": 12000.0,
}  # fmt: skip


@cache
def figures(folder: Path) -> dict[str, pd.Series]:
    names = {name for identity in IDENTITIES for name in identity.series}
    found = {}
    for name in names:
        path = folder / f"{OTHER_NAMES.get(name, name) if folder != SAMPLE else name}.csv"
        if path.exists():
            rows = pd.read_csv(path, parse_dates=["date"])
            found[name] = pd.Series(
                pd.to_numeric(rows["value"], errors="coerce").to_numpy(), rows["date"]
            ).dropna()
    return found


def judge(held: dict[str, pd.Series], identities: Sequence[Identity] = IDENTITIES) -> SuiteResult:
    return run_suite(relations(Known(held), identities), identities_suite(identities))


@cache
def clean() -> dict[str, pd.Series]:
    """The sample, and for series it lacks figures that fit it."""
    held = dict(figures(SAMPLE))
    of = dict.fromkeys(("DFF",), held["FEDFUNDS"]["2020":]) | {"DGS3MO": held["TB3MS"]["2020":]}
    of |= {"SHILLER_CPI": held["CPIAUCSL"]["2020":]}
    days = pd.date_range("2020-01-01", "2025-10-31")
    for name, level in INVENTED.items():
        frequency = load_catalog().series[name].frequency
        stamps = (
            days
            if frequency == "D"
            else days[days.dayofweek == 2]
            if frequency == "W"
            else days[days.day == 1]
        )
        level_then = of[name].reindex(stamps, method="ffill") if name in of else level
        held[name] = pd.Series(level_then, stamps, dtype="float64")
    held["BAMLH0A0HYM2"] = 4.0 + held["EBP"]["2020":].reindex(days, method="ffill")
    return held


def test_names_are_unique_and_series_known() -> None:
    assert len({key_of(identity) for identity in IDENTITIES}) == len(IDENTITIES)
    assert {name for identity in IDENTITIES for name in identity.series} <= set(load_catalog().series)
    assert all(identity.low < identity.high for identity in IDENTITIES)


def test_no_identity_holds_by_construction() -> None:
    """The publisher computes T10YIE from the two yields: comparing them would prove nothing."""
    assert not any("T10YIE" in identity.series for identity in IDENTITIES)


def test_the_sample_holds_and_what_it_cannot_tell_is_said() -> None:
    results = {r.rule.name: r for r in judge(figures(SAMPLE)).results}
    assert [r.message for r in results.values() if not r.passed] == []
    assert results["GS10__mean_of_dgs10"].evaluated_rows > 30
    assert results["GDP__deflator_growth"].evaluated_rows > 150
    unjudged = {name for name, r in results.items() if r.message == "nothing to judge."}
    absent = {key_of(i) for i in IDENTITIES if not set(i.series) <= set(figures(SAMPLE))}
    assert unjudged == absent


def test_real_series_hold(realdata: Path) -> None:
    result = judge({**figures(SAMPLE), **figures(realdata)})
    assert [r.message for r in result.failed] == []
    assert sum(r.evaluated_rows > 0 for r in result.results) >= len(IDENTITIES) - 1


@pytest.mark.parametrize("identity", IDENTITIES, ids=key_of)
def test_a_series_in_another_unit_breaks_the_identity(identity: Identity) -> None:
    """Percent given as a share, millions as billions, from one year on; for ranks, where low is high."""
    held = clean()
    before = judge(held, [identity]).results[0]
    assert before.passed and before.evaluated_rows, before.message
    spoilt = held[identity.series[0]].copy()
    spoilt["2022":"2024"] *= 1000
    if identity.name.startswith("rank"):
        spoilt = -spoilt
    after = judge({**held, identity.series[0]: spoilt}, [identity]).results[0]
    assert not after.passed
    assert after.examples[0]["identity"] == key_of(identity)


def test_a_digit_wrong_in_one_month_is_caught_by_the_daily_series() -> None:
    """4.26 for 4.62: plausible, no jump beyond history, and still not the mean of the month's quotes."""
    held = figures(SAMPLE)
    months = relations(Known(held), [i for i in IDENTITIES if key_of(i) == "GS10__mean_of_dgs10"])["period"]
    spoilt = held["GS10"].copy()
    spoilt[pd.Period(months.iloc[-1], "M").start_time] += 0.36
    failed = judge({**held, "GS10": spoilt}).failed
    assert [r.rule.name for r in failed] == ["GS10__mean_of_dgs10"]
    assert failed[0].examples[0]["period"] == months.iloc[-1]


def test_an_identity_with_a_series_nothing_depends_on_warns() -> None:
    with an_archive() as con:
        judged = judge_identities(con, load_catalog(), SAMPLE_END)
    roles = {key_of(j.identity): {load_catalog().series[n].role for n in j.identity.series} for j in judged}
    for found in judged:
        name = key_of(found.identity)
        assert (found.result.severity == "warning") == (
            "context" in roles[name] or found.identity.severity == "warning"
        )
        assert found.absent == found.identity.series
        assert found.result.message == "nothing to judge."
