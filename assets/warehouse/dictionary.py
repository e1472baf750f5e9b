"""The catalogue as tables of the published file: series, columns and parameters, so that it explains itself.

Belongs here: declarations into rows. Does not belong here: what the archive holds of a series, and the file
itself (`release.py`), wording, which is the catalogue's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from assets.catalog.lineage import source_series
from assets.catalog.models import Catalog, Column, Profile, Table
from assets.catalog.render import repeated


def series_frame(catalog: Catalog, profile: Profile) -> pd.DataFrame:
    """One row per series of the catalogue: the declared columns of the published table `series`."""
    kept = (
        "series_id", "title", "publisher", "source_url", "unit", "unit_kind", "frequency",
        "seasonal_adjustment", "release_lag_days", "staleness_limit_days", "is_step", "is_revisable",
        "first_public_on", "required_start", "role", "rights", "citation", "note",
    )  # fmt: skip
    rows = [
        {
            **{name: getattr(series, name) for name in kept},
            "group_name": series.group,
            "source_key": series.source,
            "in_profile": profile in series.profiles,
        }
        for series in catalog.series.values()
    ]
    return pd.DataFrame(rows)


def columns_frame(catalog: Catalog, tables: Sequence[Table]) -> pd.DataFrame:
    """One row per column of `tables`: the published data dictionary."""
    rows = [
        _column_row(catalog, table, position, column)
        for table in tables
        for position, column in enumerate(table.columns, start=1)
    ]
    return pd.DataFrame(rows)


def _column_row(catalog: Catalog, table: Table, position: int, column: Column) -> dict[str, Any]:
    sources = source_series(catalog, column.derived_from)
    return {
        "table_name": table.name,
        "position": position,
        "column_name": column.name,
        "type": column.type,
        "unit": column.unit,
        "definition": column.definition,
        "formula": column.formula,
        "is_key": column.name in table.key,
        "derived_from": _listed(column.derived_from),
        "source_series": _listed(sources),
        "nullable": column.nullable,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "allowed_values": _listed(column.values or ()),
        "rights": _listed(sorted({catalog.series[series_id].rights for series_id in sources})),
        "repeats": repeated(column) or None,
    }


def parameters_frame(catalog: Catalog) -> pd.DataFrame:
    """One row per parameter of the method: section, name, number where it is one, text."""
    parameters = _flat("method", catalog.method.model_dump(mode="json"))
    return pd.DataFrame(parameters, columns=["section", "parameter", "number", "text"])


def versions_frame(catalog: Catalog) -> pd.DataFrame:
    """One row per version of the method."""
    return pd.DataFrame([version.model_dump() for version in catalog.method_versions])


def _flat(section: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str, float | None, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(name if section == "method" else f"{section}.{name}", value)
        else:
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            yield section, name, number, value if isinstance(value, str) else json.dumps(value)


def _listed(names: Sequence[str]) -> str | None:
    return ", ".join(names) or None
