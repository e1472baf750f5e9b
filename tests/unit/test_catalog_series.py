"""The declared series: limits, ranges and roles follow one policy, and known figures lie in their range."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series, SourceKey

SAMPLE = PROJECT_ROOT / "sample_data"
REAL_FIGURES = PROJECT_ROOT.parent / "shared" / "realdata"
STALENESS = {"D": 10, "W": 28, "M": 130, "Q": 230}
MONTHLY_MARKET = {
    "GS10", "TB3MS", "FEDFUNDS", "FII10", "BAA10YM", "AAA10YM", "EBP", "GZ_SPREAD", "HQMCB10YR",
}  # fmt: skip
# Counted quarterly though the file is monthly: the months between are interpolated by the source.
COUNTED_QUARTERLY = {"SHILLER_EARNINGS", "SHILLER_DIVIDEND"}
# Their ordinary values lie so near zero that no range can tell a wrong scale; the publisher's unit must.
SCALE_NOT_IN_RANGE = {"RRPONTSYD", "USREC"}
ALL = list(load_catalog().series.values())


def _values(file: Path) -> list[float]:
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines))[1:]
    return [float(row[1]) for row in rows if row[1] not in ("", ".")]


def _figure_files(series: Series) -> list[Path]:
    names = {series.series_id, series.series_id.replace("SHILLER_PRICE", "SHILLER_SP_PRICE")}
    candidates = [SAMPLE / f"{series.series_id}.csv", *(REAL_FIGURES / f"{name}.csv" for name in names)]
    return [file for file in candidates if file.exists()]


def _in_range(series: Series, value: float) -> bool:
    return series.plausible_min <= value <= series.plausible_max


def test_every_group_of_the_methodology_is_declared() -> None:
    groups = {series.group for series in ALL}
    assert groups == {
        "rates",
        "prices",
        "activity",
        "fed_money",
        "credit",
        "equity",
        "fiscal",
        "gold",
        "context",
    }
    assert len(ALL) == 83


@pytest.mark.parametrize("series", ALL, ids=lambda series: series.series_id)
def test_staleness_limit_follows_frequency(series: Series) -> None:
    expected = STALENESS[series.frequency]
    if series.is_step:
        expected = 0
    elif series.series_id in MONTHLY_MARKET:
        expected = 75
    elif series.series_id in COUNTED_QUARTERLY:
        expected = 230
    elif series.series_id == "THREEFYTP10":
        expected = 21  # days, which come out once a week
    assert series.staleness_limit_days == expected


@pytest.mark.parametrize("series", ALL, ids=lambda series: series.series_id)
def test_known_figures_are_plausible_and_a_thousandfold_is_not(series: Series) -> None:
    for file in _figure_files(series):
        values = _values(file)
        assert all(_in_range(series, value) for value in values), file.name
        if series.series_id not in SCALE_NOT_IN_RANGE:
            assert not _in_range(series, values[-1] * 1000), file.name


def test_median_of_every_sample_series_times_thousand_is_refused() -> None:
    for series in load_catalog().in_profile("sample"):
        values = sorted(_values(SAMPLE / f"{series.series_id}.csv"))
        assert not _in_range(series, values[len(values) // 2] * 1000), series.series_id


def test_only_the_policy_rate_is_a_step_series_and_it_is_known_on_the_day() -> None:
    steps = {series.series_id: series.release_lag_days for series in ALL if series.is_step}
    assert steps == {"DFEDTARU": 0, "DFEDTAR": 0}


def test_market_rates_are_not_revisable_and_statistics_are() -> None:
    series = load_catalog().series
    for series_id in ("DGS10", "GS10", "DFII10", "FEDFUNDS", "DFEDTARU", "BAA10Y", "GOLD_WB_MONTHLY"):
        assert not series[series_id].is_revisable, series_id
    for series_id in ("UNRATE", "GDP", "NFCI", "EBP", "EXPINF10YR", "WALCL", "CP", "PCEPILFE"):
        assert series[series_id].is_revisable, series_id


def test_truncated_providers_name_the_start_our_own_store_needs() -> None:
    series = load_catalog().series
    for series_id in ("BAMLH0A0HYM2", "BAMLC0A0CM"):
        assert str(series[series_id].required_start) == "1996-12-31"
        assert series[series_id].served_window_years == 3
    assert series["SP500"].served_window_years == 10


def test_backcasts_say_when_the_series_began_to_exist() -> None:
    series = load_catalog().series
    began = {series_id: str(series[series_id].first_public_on) for series_id in ("EBP", "GZ_SPREAD", "NFCI")}
    assert began == {"EBP": "2016-10-06", "GZ_SPREAD": "2016-10-06", "NFCI": "2011-05-25"}
    assert all(series[series_id].first_public_on for series_id in ("HQMCB10YR", "EXPINF10YR", "NFCICREDIT"))


def test_reverse_repo_is_in_billions_beside_a_balance_sheet_in_millions() -> None:
    series = load_catalog().series
    assert series["RRPONTSYD"].unit_kind == "usd_bn"
    for series_id in ("WALCL", "TREAST", "WSHOMCB", "WRESBAL", "WTREGEN", "WDTGAL"):
        assert series[series_id].unit_kind == "usd_mn", series_id


def test_inputs_of_the_conditions_and_the_stance_have_these_roles() -> None:
    series = load_catalog().series
    for series_id in ("UNRATE", "ICSA", "NFCI", "TOTBKCR", "CPIAUCSL", "PCEPILFE", "CP", "BAMLH0A0HYM2"):
        assert series[series_id].role == "condition", series_id
    for series_id in ("DFEDTARU", "DFEDTAR", "WALCL", "BOGMBASE"):
        assert series[series_id].role == "stance", series_id
    assert series["USREC"].role == "context"  # dated with hindsight: charts only


def test_figures_that_may_not_be_republished_are_not_in_the_sample() -> None:
    assert not [
        series.series_id for series in load_catalog().in_profile("sample") if series.rights == "restricted"
    ]


def test_ratio_series_exists_in_the_sample_only() -> None:
    catalog = load_catalog()
    assert catalog.series["NCBEILQ027S_GDP_PCT"].profiles == ("sample",)
    assert catalog.series["NCBEILQ027S"].profiles == ("live",)
    assert catalog.by_source("sample") == [catalog.series["NCBEILQ027S_GDP_PCT"]]


def test_every_source_has_series_and_keys_are_unique() -> None:
    catalog = load_catalog()
    sources: tuple[SourceKey, ...] = ("fred", "fed_board", "fiscal_data", "shiller", "world_bank", "sample")
    sizes = [len(catalog.by_source(source)) for source in sources]
    assert all(sizes) and sum(sizes) == len(ALL)
    assert len({series.asset_key for series in ALL}) == len(ALL)


def test_rights_page_names_every_series_that_is_not_public_domain() -> None:
    """Each under its own mark: a series moved to another mark must move on the page as well."""
    lines = (PROJECT_ROOT / "docs" / "data_sources.md").read_text().splitlines()
    for mark in ("cc_by_4", "credit_required", "reserve_bank", "restricted"):
        (line,) = [line for line in lines if line.startswith(f"| `{mark}` |")]
        words = set(line.replace(",", " ").replace(";", " ").split())
        assert {series.series_id for series in ALL if series.rights == mark} == words & {
            s.series_id for s in ALL
        }
