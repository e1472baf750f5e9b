"""Every asset check of the graph, by explicit list.

Belongs here: which asset is judged by which suite, read how. Does not belong here: rules, factories.
"""

from __future__ import annotations

from functools import partial

import dagster as dg

from assets.catalog.loader import load_catalog
from checks.factories import archive_check, identity_checks, table_check
from checks.first_publication import first_publication_check
from checks.frames import load_table
from checks.registry import JUDGEMENT, suite_of

# judged in the release only: written by publishing itself, or slice by slice by the tables it is about
_WITHOUT_ASSET = ("regime_nightly", "provenance", "row_corrections")


def _table_check(name: str) -> dg.AssetChecksDefinition:
    catalog = load_catalog()
    return table_check(
        dg.AssetKey([catalog.tables[name].layer, name]),
        partial(suite_of, name, catalog),
        partial(load_table, catalog=catalog),
    )


CHECKS: list[dg.AssetChecksDefinition] = [
    archive_check(list(load_catalog().series.values())),
    identity_checks(load_catalog()),
    first_publication_check(load_catalog()),
    *(_table_check(name) for name in JUDGEMENT if name not in _WITHOUT_ASSET),
]
