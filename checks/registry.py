"""Which tables are checked, and the suite of a table for one run."""

from __future__ import annotations

import datetime as dt

from assets.catalog.models import Catalog
from checks.structural import structural_rules
from checks.suites.rules import Suite
from checks.suites.tables import table_rules


def checked_tables(catalog: Catalog) -> tuple[str, ...]:
    """Tables of the published file whose rows are checked: all that are computed, and what publishing adds."""
    return tuple(table.name for table in catalog.tables.values() if table.layer in ("derived", "regime"))


def suite_of(table: str, catalog: Catalog, as_of: dt.date) -> Suite:
    """All rules of a table for a run as of `as_of`."""
    declared = catalog.tables[table]
    rules = (*structural_rules(declared, as_of, catalog.method.grid.start), *table_rules(table, catalog))
    return Suite(table, declared.key, rules)
