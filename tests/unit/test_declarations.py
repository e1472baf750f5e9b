"""Declarations agree with each other, and with the figures and pages they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from assets.asset_specs import table_schema
from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.compute.archive import Archive
from assets.compute.grid import build_grid
from assets.compute.registry import Computation
from assets.compute.tables.build import BUILDERS
from tests.helpers import REAL_FILES, SAMPLE, on_sample
from tests.unit.test_expected_coverage import DAYS, live_vintages

CATALOG = load_catalog()
ALL = list(CATALOG.series.values())
UNIT_OF = {
    "_pp": "percentage points", "_usd_bn": "billions of US dollars", "_rank": "rank 0 to 1", "_date": "date",
    "_score": "score 0 to 1", "_pct_gdp": "percent of GDP", "_sha256": "hexadecimal", "_at": "UTC timestamp",
}  # fmt: skip


def test_a_quantity_of_one_name_has_one_unit_and_the_suffix_of_a_name_is_its_unit() -> None:
    units = defaultdict(set)
    for table in CATALOG.tables.values():
        for column in table.columns:
            wrong = [end for end, of in UNIT_OF.items() if column.name.endswith(end) and column.unit != of]
            assert not wrong, f"{table.name}.{column.name}"
            if table.layer in ("derived", "regime"):
                units[column.name].add(column.unit)
    several = {name for name, found in units.items() if len(found) > 1}
    assert several <= {"value", "limit_value"}, "the unit of a value stands in its own row"


def live() -> Computation:
    """Made-up figures of every live series, so that each column of the live profile has a value."""
    grid = build_grid(np.datetime64("2014-12-31", "D"), np.datetime64(DAYS["live"], "D"))
    return Computation(Archive.from_frame(live_vintages()), grid, CATALOG, "live")


@pytest.mark.parametrize("computed", [lambda: on_sample().run, live], ids=["sample", "live"])
def test_series_a_figure_came_from_are_among_those_its_declaration_leads_to(
    computed: Callable[[], Computation],
) -> None:
    """What is withheld, and what is computed again after a revision, follows the declaration."""
    run = computed()
    for name in BUILDERS:
        provenance = run.built(name).provenance
        for column, rows in provenance.groupby("column_name"):
            used = {i for ids in rows.loc[rows["absent_reason"].isna(), "series_ids"] for i in ids.split(",")}
            assert used <= set(CATALOG.source_series([f"{name}.{column}"])), f"{name}.{column}"


REAL_FIGURES = PROJECT_ROOT.parent / "shared" / "realdata"
# Their ordinary values lie so near zero that no range can tell a wrong scale; the publisher's unit must.
SCALE_NOT_IN_RANGE = {"RRPONTSYD", "USREC"}


def test_known_figures_are_plausible_and_a_thousandfold_is_not() -> None:
    for series in ALL:
        name, least, most = series.series_id, series.plausible_min, series.plausible_max
        for file in (SAMPLE / f"{name}.csv", REAL_FIGURES / f"{REAL_FILES.get(name, name)}.csv"):
            if file.exists():
                values = pd.to_numeric(pd.read_csv(file)["value"], errors="coerce").dropna()
                assert values.between(least, most).all(), file.name
                assert name in SCALE_NOT_IN_RANGE or not least <= values.iloc[-1] * 1000 <= most, file.name


def test_figures_that_may_not_be_republished_are_not_in_the_sample() -> None:
    assert not [series.series_id for series in CATALOG.in_profile("sample") if series.rights == "restricted"]


def test_rights_page_names_every_series_that_is_not_public_domain() -> None:
    """Each under its own mark: a series moved to another mark must move on the page as well."""
    lines = (PROJECT_ROOT / "docs" / "data_sources.md").read_text().splitlines()
    for mark in ("cc_by_4", "credit_required", "reserve_bank", "restricted"):
        (line,) = [line for line in lines if line.startswith(f"| `{mark}` |")]
        words = set(line.replace(",", " ").replace(";", " ").split())
        assert {series.series_id for series in ALL if series.rights == mark} == words & {
            s.series_id for s in ALL
        }


def test_dagster_schema_carries_unit_and_origin_as_tags() -> None:
    key, *_, share = table_schema(CATALOG.tables["monetisation"]).columns
    declared = CATALOG.tables["monetisation"].columns[-1]
    assert key.tags["unit"] == "date" and not key.constraints.nullable
    assert share.tags == {"unit": declared.unit, "from": ", ".join(declared.derived_from)}
    coverage = next(c for c in table_schema(CATALOG.tables["regime"]).columns if c.name == "coverage")
    assert coverage.constraints.other == [">= 0", "<= 1"]
