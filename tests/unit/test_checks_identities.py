"""Relations between series hold on real figures, and name the series in which a plausible fault was put."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from assets.catalog.loader import load_catalog
from checks.archive import check_identities
from checks.identities import IDENTITIES, Identity, Known, identities_suite, key_of, relations
from checks.runner import SuiteResult, run_suite
from tests.builders import an_archive
from tests.helpers import REAL_FILES, SAMPLE
from tests.integration.sample_night import SAMPLE_END

Figures = dict[str, pd.Series]
Fault = Callable[[Figures], Figures]


@cache
def figures(folder: Path) -> Figures:
    names = {name for identity in IDENTITIES for name in identity.series}
    found = {}
    for name in names:
        path = folder / f"{REAL_FILES.get(name, name) if folder != SAMPLE else name}.csv"
        if path.exists():
            rows = pd.read_csv(path, parse_dates=["date"])
            values = pd.to_numeric(rows["value"], errors="coerce").astype("float64")
            found[name] = pd.Series(values.to_numpy(), rows["date"]).dropna()
    return found


def check(held: Figures, identities: Sequence[Identity] = IDENTITIES) -> SuiteResult:
    return run_suite(relations(Known(held), identities), identities_suite(identities))


def scaled(name: str, factor: float, first: str = "1900") -> Fault:
    """A series in another scale, from a day on."""
    return lambda held: {name: held[name].where(held[name].index < first, held[name] * factor)}


def shifted(name: str, points: float, first: str = "1900") -> Fault:
    """A rate some points off, from a day on."""
    return lambda held: {name: held[name].where(held[name].index < first, held[name] + points)}


def late(name: str, periods: int = 1) -> Fault:
    """Every figure stamped some periods later, as in a file that is one release old."""
    return lambda held: {
        name: pd.Series(held[name].to_numpy()[:-periods], index=held[name].index[periods:], dtype="float64")
    }


def swapped(one: str, other: str) -> Fault:
    return lambda held: {one: held[other], other: held[one]}


# a plausible fault in a single file of the sample (two for a swap), and the relation that must name it
FAULTS: list[tuple[Fault, str, str]] = [
    (scaled("WALCL", 1.12), "WALCL__over_bogmbase", "critical"),
    (scaled("BOGMBASE", 1.12), "BOGMBASE__currency_within_m2sl", "warning"),
    (scaled("TREAST", 1.12), "TREAST__within_mspd_total_marketable", "warning"),
    (scaled("M2SL", 1.08, "2015"), "M2SL__month_near_totbkcr", "warning"),
    (scaled("M2SL", 0.1), "BOGMBASE__within_m2sl", "critical"),
    (shifted("UNRATE", 1.5, "2024"), "UNRATE__labour_force", "warning"),
    (late("UNRATE"), "UNRATE__near_icsa", "critical"),
    (late("PAYEMS"), "INDPRO__month_near_payems", "warning"),
    (scaled("ICSA", 0.7), "UNRATE__usual_to_icsa", "warning"),
    (scaled("NFCI", -1.0), "NFCI__moves_with_gz_spread", "critical"),
    (shifted("DFII10", 1.0), "FII10__mean_of_dfii10", "critical"),
    (shifted("DFII10", 1.0, "2025"), "DFII10__usual_to_expinf10yr", "warning"),
    (scaled("CPIAUCSL", 1.03, "2015"), "PCEPILFE__month_near_cpiaucsl", "critical"),
    (scaled("GDP", 1.05, "2015"), "GDP__deflator_near_pcepilfe", "critical"),
    (scaled("GDP", 1.08), "GDP__level_of_pcepilfe", "warning"),
    (shifted("HQMCB10YR", 1.0), "HQMCB10YR__near_gz_spread", "warning"),
    (shifted("GZ_SPREAD", 1.0), "GZ_SPREAD__near_ebp", "critical"),
    (shifted("TB3MS", 1.0), "TB3MS__usual_to_fedfunds", "warning"),
    (shifted("FEDFUNDS", 0.5), "FEDFUNDS__below_dfedtaru", "critical"),
    (shifted("GS10", 0.3, "2025"), "GS10__mean_of_dgs10", "critical"),
    (scaled("CP", 1.2), "CP__usual_to_gdp", "warning"),
    (scaled("CP", 0.1), "CP__within_gdp", "critical"),
    (scaled("NCBEILQ027S_GDP_PCT", 1.15), "NCBEILQ027S_GDP_PCT__over_profits", "warning"),
    (scaled("GOLD_WB_MONTHLY", 10.0), "GOLD_WB_MONTHLY__real_price", "warning"),
    (scaled("MSPD_TOTAL_MARKETABLE", 1.12), "MSPD_TOTAL_MARKETABLE__near_fygfdpun", "critical"),
    (scaled("MTSDS133FMS", -1.0), "MTSDS133FMS__near_fygfdpun", "critical"),
    (swapped("FEDFUNDS", "TB3MS"), "FEDFUNDS__below_dfedtaru", "critical"),
    (swapped("GDP", "GDPC1"), "GDP__deflator_growth", "critical"),
    (swapped("CPIAUCSL", "PCEPILFE"), "GDP__level_of_pcepilfe", "warning"),
]
# faults in series that only FRED itself serves, put into real figures where they are at hand
FAULTS_OF_LIVE: list[tuple[Fault, str, str]] = [
    (shifted("BAA10YM", 1.0), "BAA10YM__mean_of_baa10y", "critical"),
    (shifted("BAA10YM", 1.0), "BAA10YM__near_gz_spread", "warning"),
    (scaled("WALCL", 1.12, "2024"), "WALCL__of_liabilities", "critical"),
    (scaled("A091RC1Q027SBEA", 0.1), "A091RC1Q027SBEA__interest_on_fygfdpun", "warning"),
    (scaled("SP500", 0.1), "SHILLER_PRICE__mean_of_sp500", "warning"),
]


def expect_named(held: Figures, faults: Sequence[tuple[Fault, str, str]]) -> None:
    for fault, name, severity in faults:
        changed = fault(held)
        concerned = [identity for identity in IDENTITIES if set(identity.series) & set(changed)]
        found = {result.rule.name: result for result in check({**held, **changed}, concerned).failed}
        assert name in found, sorted(found)
        assert (found[name].severity, found[name].examples[0]["identity"]) == (severity, name)


def test_the_honest_sample_breaks_no_relation() -> None:
    results = {r.rule.name: r for r in check(figures(SAMPLE)).results}
    assert [r.message for r in results.values() if not r.passed] == []
    unchecked = {name for name, r in results.items() if not r.evaluated_rows}
    absent = {key_of(i) for i in IDENTITIES if not set(i.series) <= set(figures(SAMPLE))}
    assert unchecked == absent
    assert len(results) - len(unchecked) >= 35


def test_longer_real_series_break_no_relation(realdata: Path) -> None:
    result = check({**figures(SAMPLE), **figures(realdata)})
    assert [r.message for r in result.failed] == []
    assert sum(r.evaluated_rows > 0 for r in result.results) >= len(IDENTITIES) - 4


def test_every_relation_of_the_sample_has_a_fault_that_breaks_it() -> None:
    """A relation nothing can break would only be counted."""
    held, broken = figures(SAMPLE), set()
    in_other_units = [scaled(i.series[0], 1000.0, "2022") for i in IDENTITIES if i.series[0] in held]
    for fault in [*(fault for fault, _, _ in FAULTS), *in_other_units]:
        changed = fault(held)
        concerned = [i for i in IDENTITIES if set(changed) & set(i.series) and key_of(i) not in broken]
        frame = relations(Known({**held, **changed}), concerned)
        for identity in concerned:
            values = frame.loc[frame["identity"] == key_of(identity), "relation"]
            if ((values < identity.low) | (values > identity.high)).any():
                broken.add(key_of(identity))
    assert {key_of(i) for i in IDENTITIES if set(i.series) <= set(figures(SAMPLE))} - broken == set()


def test_a_fault_in_one_file_is_named() -> None:
    expect_named(figures(SAMPLE), FAULTS)


def test_a_fault_in_one_live_series_is_named(realdata: Path) -> None:
    expect_named({**figures(SAMPLE), **figures(realdata)}, FAULTS_OF_LIVE)


def test_an_identity_with_a_series_nothing_depends_on_warns() -> None:
    with an_archive() as con:
        found = check_identities(con, load_catalog(), SAMPLE_END)
    for one in found:
        roles = {load_catalog().series[name].role for name in one.identity.series}
        warns = "context" in roles or one.identity.severity == "warning"
        assert (one.result.severity == "warning") == warns
        assert one.absent == one.identity.series
        assert one.result.evaluated_rows == 0
