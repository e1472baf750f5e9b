"""Declared tables agree with each other, and every column with the series its figures came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive
from assets.compute.grid import build_grid
from assets.compute.registry import Computation
from assets.compute.tables.build import BUILDERS
from tests.helpers import on_sample
from tests.unit.test_expected_coverage import DAYS, live_vintages

CATALOG = load_catalog()
LEDGERS = ("policy_events", "recessions", "reference_values")


def test_the_nightly_table_is_the_regime_with_its_moment_before_it() -> None:
    names = CATALOG.tables["regime"].column_names
    assert CATALOG.tables["regime_nightly"].column_names == ("published_at", *names)


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


# Of a computed table, what is no key and yet computed from nothing: facts of the run, and wording of the catalogue.
_OF_THE_RUN = {
    "as_of_date", "is_month_end", "profile", "method_version", "method_sha256", "first_published_at",
}  # fmt: skip
_WORDING = {
    "base_rates": {"measure", "limit_value", "limit_unit"},
    "bubble_gauge": {"criterion", "question", "unit", "hot_when", "note"},
    "caveats": {"kind", "severity", "affected_columns"},
    "distance_to_flip": {"leads_to", "measure", "comparison", "condition", "component_unit"},
    "effective_weights": {"condition"},
    "event_responses": {"unit", "placebo_draws", "placebo_seed"},
    "event_study": {"unit"},
    "outside_agreement": {"who", "statement", "status", "registered_on", "threshold_share"},
    "outside_references": {"who", "what", "unit", "rights"},
    "regime_evidence": {"unit"},
    "relative_attractiveness": {"is_real_yield"},
    "release_log": {"kind"},
    "scenarios": {"title", "moves", "held_still", "not_computed_reason"},
    "score_attribution": {"condition"},
}


def test_no_column_of_a_computed_table_is_silent_about_its_origin() -> None:
    computed = [
        t for t in CATALOG.tables.values() if t.layer in ("derived", "regime") and t.name not in LEDGERS
    ]
    assert len(computed) > 25
    for table in computed:
        silent = {c.name for c in table.columns if not c.derived_from} - set(table.key) - _OF_THE_RUN
        assert silent == _WORDING.get(table.name, set()), table.name


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
