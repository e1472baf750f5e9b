"""Known figures lie in the range of their series, rights are on their page, parameters are those of their version."""

from __future__ import annotations

import pandas as pd

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from tests.helpers import REAL_FILES, SAMPLE

REAL_FIGURES = PROJECT_ROOT.parent / "shared" / "realdata"
# Their ordinary values lie so near zero that no range can tell a wrong scale; the publisher's unit must.
SCALE_NOT_IN_RANGE = {"RRPONTSYD", "USREC"}
ALL = list(load_catalog().series.values())
METHOD = load_catalog().method


def test_known_figures_are_plausible_and_a_thousandfold_is_not() -> None:
    for series in ALL:
        name, least, most = series.series_id, series.plausible_min, series.plausible_max
        for file in (SAMPLE / f"{name}.csv", REAL_FIGURES / f"{REAL_FILES.get(name, name)}.csv"):
            if file.exists():
                values = pd.to_numeric(pd.read_csv(file)["value"], errors="coerce").dropna()
                assert values.between(least, most).all(), file.name
                assert name in SCALE_NOT_IN_RANGE or not least <= values.iloc[-1] * 1000 <= most, file.name


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


def test_parameters_are_those_pinned_for_their_version() -> None:
    """Whoever changes a number adds a version to method_versions.toml; publication is held without."""
    newest = load_catalog().method_versions[-1]
    assert (METHOD.method_version, METHOD.method_sha256) == (newest.method_version, newest.method_sha256)


def test_hash_ignores_the_version_and_sees_every_number() -> None:
    renamed = METHOD.model_copy(update={"method_version": "9.9.9"})
    shifted = METHOD.model_copy(
        update={"melt_up": METHOD.melt_up.model_copy(update={"return_12m_pct": 11.0})}
    )
    assert renamed.method_sha256 == METHOD.method_sha256
    assert shifted.method_sha256 != METHOD.method_sha256
