"""Declarations agree with each other, with the figures they are about, and with what Dagster shows of them."""

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


def test_a_quantity_of_one_name_is_one_quantity() -> None:
    """Same column name in several tables: same unit, and for measured quantities the same definition."""
    units, definitions = defaultdict(set), defaultdict(set)
    for table in CATALOG.tables.values():
        if table.layer not in ("derived", "regime"):
            continue
        for column in table.columns:
            units[column.name].add(column.unit)
            if column.name.endswith(("_pct", "_pp", "_bn", "_index", "_rank", "_gdp", "_band", "_score")):
                definitions[column.name].add(column.definition)
    several = {name: found for name, found in units.items() if len(found) > 1}
    assert set(several) <= {"value", "limit_value"}, "the unit of a value stands in its own row"
    assert {name: found for name, found in definitions.items() if len(found) > 1} == {}


def test_the_suffix_of_a_name_is_its_unit() -> None:
    unit = {
        "_pp": "percentage points", "_usd_bn": "billions of US dollars", "_rank": "rank 0 to 1", "_date": "date",
        "_score": "score 0 to 1", "_pct_gdp": "percent of GDP", "_sha256": "hexadecimal", "_at": "UTC timestamp",
    }  # fmt: skip
    for table in CATALOG.tables.values():
        for column in table.columns:
            wrong = [end for end, of in unit.items() if column.name.endswith(end) and column.unit != of]
            assert not wrong, f"{table.name}.{column.name}"


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


# ---- series and parameters

REAL_FIGURES = PROJECT_ROOT.parent / "shared" / "realdata"
# Their ordinary values lie so near zero that no range can tell a wrong scale; the publisher's unit must.
SCALE_NOT_IN_RANGE = {"RRPONTSYD", "USREC"}
ALL, METHOD = list(CATALOG.series.values()), CATALOG.method


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


def test_parameters_are_those_pinned_for_their_version() -> None:
    """Whoever changes a number adds a version to method_versions.toml; publication is held without."""
    newest = CATALOG.method_versions[-1]
    assert (METHOD.method_version, METHOD.method_sha256) == (newest.method_version, newest.method_sha256)


def test_hash_ignores_the_version_and_sees_every_number() -> None:
    renamed = METHOD.model_copy(update={"method_version": "9.9.9"})
    shifted = METHOD.model_copy(
        update={"melt_up": METHOD.melt_up.model_copy(update={"return_12m_pct": 11.0})}
    )
    assert renamed.method_sha256 == METHOD.method_sha256
    assert shifted.method_sha256 != METHOD.method_sha256


# ---- what Dagster shows


def test_dagster_schema_carries_unit_and_origin_as_tags() -> None:
    key, _, *columns = table_schema(CATALOG.tables["real_yields"]).columns
    assert key.constraints.unique and not key.constraints.nullable and key.tags == {"unit": "date"}
    breakeven = next(column for column in columns if column.name == "breakeven_10y_pp")
    assert breakeven.constraints.nullable
    origin = ", ".join(CATALOG.tables["real_yields"].column("breakeven_10y_pp").derived_from)
    assert breakeven.tags == {"unit": "percentage points", "from": origin}
    score = next(c for c in table_schema(CATALOG.tables["regime"]).columns if c.name == "bubble_score")
    assert score.constraints.other == [">= 0", "<= 1"]
