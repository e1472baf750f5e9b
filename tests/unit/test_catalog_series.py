"""The declared series: limits, ranges and roles follow one policy, and known figures lie in their range."""

from __future__ import annotations

import csv
from pathlib import Path

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series

SAMPLE = PROJECT_ROOT / "sample_data"
REAL_FIGURES = PROJECT_ROOT.parent / "shared" / "realdata"
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


def test_known_figures_are_plausible_and_a_thousandfold_is_not() -> None:
    for series in ALL:
        for file in _figure_files(series):
            values = _values(file)
            assert all(_in_range(series, value) for value in values), file.name
            if series.series_id not in SCALE_NOT_IN_RANGE:
                assert not _in_range(series, values[-1] * 1000), file.name


def test_figures_that_may_not_be_republished_are_not_in_the_sample() -> None:
    assert not [
        series.series_id for series in load_catalog().in_profile("sample") if series.rights == "restricted"
    ]


def test_rights_page_names_every_series_that_is_not_public_domain() -> None:
    """Each under its own mark: a series moved to another mark must move on the page as well."""
    lines = (PROJECT_ROOT / "docs" / "data_sources.md").read_text().splitlines()
    for mark in ("cc_by_4", "credit_required", "reserve_bank", "restricted"):
        (line,) = [line for line in lines if line.startswith(f"| `{mark}` |")]
        words = set(line.replace(",", " ").replace(";", " ").split())
        assert {series.series_id for series in ALL if series.rights == mark} == words & {
            s.series_id for s in ALL
        }
