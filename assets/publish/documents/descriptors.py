"""The release described for programs, from the staged file only: `datapackage.json` (Frictionless) and `regime.json`.

`shipped/regime.schema.json` declares the shape of regime.json. The staged file decides which figures may be passed on.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import duckdb

from assets.catalog.models import Column, Table
from assets.catalog.render import table_comment
from assets.publish.documents.examples import shipped
from assets.publish.documents.texts import TITLE, DocumentFacts, meanings
from assets.publish.folder import sha256_of
from assets.publish.publication import PublicationBlocked
from assets.publish.staged_file import Export
from assets.warehouse.connection import query_rows

_TYPES = {
    "DATE": "date", "DOUBLE": "number", "VARCHAR": "string", "BOOLEAN": "boolean",
    "INTEGER": "integer", "BIGINT": "integer", "TIMESTAMP": "datetime",
}  # fmt: skip
_FOREIGN_KEYS = {
    "regime_evidence": ("as_of_date", "regime"),
    "regime_revised": ("as_of_date", "regime"),
    "method_variants": ("as_of_date", "regime"),
    "score_attribution": ("as_of_date", "regime"),
    "distance_to_flip": ("as_of_date", "regime"),
    "observations": ("series_id", "series"),
    "late_figures": ("series_id", "series"),
}
_MEDIA = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv", "duckdb": "application/vnd.duckdb"}
_SOURCES = """
SELECT citation AS title, source_url AS path, series_id AS "regime:series_id", rights AS "regime:rights" FROM series
"""
_NEW_MONTH_ENDS = """
SELECT count(*) FROM regime
WHERE is_month_end AND first_published_at = (SELECT published_at FROM release_manifest)
"""


SCHEMA = "regime.schema.json"
_OF_RELEASE = (
    "release_id", "published_at", "profile", "as_of_date", "method_version", "method_sha256", "code_version",
    "caution", "restricted_series_count",
)  # fmt: skip
# A value that is NULL although it has a vintage is withheld in the file itself; its rank and score are published.
_EVIDENCE = """
SELECT *, value IS NULL AND vintage_source IS NOT NULL AS is_value_withheld
FROM regime_evidence
WHERE as_of_date = (SELECT as_of_date FROM regime_current)
ORDER BY condition, component
"""
_CAVEATS = """
SELECT caveat_id, kind, severity, string_split(affected_columns, ', ') AS affected_columns, text
FROM caveats WHERE applies_now
ORDER BY list_position(['warning', 'caution', 'note'], severity), caveat_id
"""
_INPUTS = """
SELECT series_id, title, publisher, source_url, frequency, role, rights, citation, fetch_status, pit_source,
  last_observation, last_period_end, last_realtime_start AS last_known_on,
  greatest(0, ?::DATE - last_period_end) AS age_days, staleness_limit_days, is_stale
FROM series WHERE in_profile ORDER BY series_id
"""


def datapackage(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of datapackage.json. Keys of this project begin with `regime:`; retention of releases reads some."""
    manifest = facts.manifest
    descriptor = {
        "name": "stimulus-regime",
        "title": TITLE,
        "version": manifest["release_id"],
        "created": f"{manifest['published_at'].isoformat()}Z",
        "regime:release_id": manifest["release_id"],
        "regime:profile": manifest["profile"],
        "regime:as_of": manifest["as_of_date"].isoformat(),
        "regime:label": facts.newest["regime"],
        "regime:new_month_ends": con.execute(_NEW_MONTH_ENDS).fetchall()[0][0],
        "regime:code_version": manifest["code_version"],
        "regime:method_version": manifest["method_version"],
        "regime:method_sha256": manifest["method_sha256"],
        "regime:rights": meanings(facts),
        "regime:restricted_series_count": manifest["restricted_series_count"],
        "contributors": [{"title": "The stimulus-regime project", "role": "author"}],
        "licenses": [{"name": "Apache-2.0", "title": "Apache License 2.0 (the code; figures: LICENSES.md)"}],
        "sources": query_rows(con, _SOURCES),
        "resources": [
            _file(facts, "regime.duckdb", "regime.duckdb", manifest["row_count"]),
            *(_table(facts, export) for export in facts.exports),
        ],
    }  # fmt: skip
    return json.dumps(descriptor, indent=1, ensure_ascii=False) + "\n"


def _file(facts: DocumentFacts, name: str, path: str, rows: int) -> dict[str, Any]:
    file, kind = facts.folder / path, path.rpartition(".")[2]
    return {
        "name": name.replace("_", "-"),
        "path": path,
        "format": kind,
        "mediatype": _MEDIA[kind],
        "bytes": file.stat().st_size,
        "hash": f"sha256:{sha256_of(file)}",
        "regime:rows": rows,
    }


def _table(facts: DocumentFacts, export: Export) -> dict[str, Any]:
    """A table as a resource; the Parquet resource describes columns in full, the CSV one only their types.

    Parquet is declared a `file` with a schema: as a `table`, frictionless reads its NULL as not-a-number and cannot
    count its bytes, so that no release would be valid.
    """
    table, is_csv = export.table, export.path.endswith(".csv")
    resource = _file(facts, table.name + (".csv" if is_csv else ""), export.path, export.rows)
    full = {} if is_csv else {"title": table.title, "description": table_comment(table)}
    fields = [_field(column) if is_csv else _described(facts, column) for column in table.columns]
    schema = {"fields": fields, "primaryKey": list(table.key), "missingValues": [""]}
    if (foreign := _FOREIGN_KEYS.get(table.name)) is not None:
        column, other = foreign
        name = f"{other}.csv" if is_csv else other
        schema["foreignKeys"] = [{"fields": [column], "reference": {"resource": name, "fields": [column]}}]
    csv = {"encoding": "utf-8", "regime:described_by": table.name.replace("_", "-")} if is_csv else {}
    return {**resource, **full, "type": "table" if is_csv else "file", "schema": schema, **csv}


def _field(column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if column.nullable else {"required": True}
    if column.type in ("DOUBLE", "INTEGER", "BIGINT"):
        limits = {"minimum": column.minimum, "maximum": column.maximum}
        whole = column.type != "DOUBLE"
        constraints |= {k: int(v) if whole else v for k, v in limits.items() if v is not None}
    if column.values is not None:
        constraints["enum"] = list(column.values)
    return {
        "name": column.name,
        "type": _TYPES[column.type],
        **({"constraints": constraints} if constraints else {}),
    }


def _described(facts: DocumentFacts, column: Column) -> dict[str, Any]:
    """A field with unit, definition, rights, and the series to cite (`sources` of the package)."""
    series = facts.catalog.source_series(column.derived_from)
    return {
        **_field(column),
        "description": column.definition,
        "unit": column.unit,
        **({"regime:formula": column.formula} if column.formula else {}),
        "regime:rights": sorted({facts.catalog.series[series_id].rights for series_id in series}),
        "regime:cite": list(series),
    }


def regime_json(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of regime.json. Raises PublicationBlocked when it does not match its schema."""
    of_release = {**query_rows(con, "FROM about")[0], **facts.manifest}
    document = {
        "$schema": SCHEMA,
        "schema_version": json.loads(shipped(SCHEMA))["properties"]["schema_version"]["const"],
        "release": {name: _plain(of_release[name]) for name in _OF_RELEASE},
        "regime": _row(facts.newest),
        "evidence": [_row(row) for row in query_rows(con, _EVIDENCE)],
        "caveats": [_row(row) for row in query_rows(con, _CAVEATS)],
        "inputs": [_row(row) for row in query_rows(con, _INPUTS, [facts.manifest["as_of_date"]])],
        "columns": {
            "regime": _columns(facts.catalog.tables["regime"]),
            "evidence": _columns(facts.catalog.tables["regime_evidence"]),
        },
    }
    check_schema(document)
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def check_schema(document: dict[str, Any]) -> None:
    """Raises PublicationBlocked, naming each place that does not match the schema, and a number that is not finite."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(
        json.loads(shipped(SCHEMA)), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    found = [
        f"regime.json {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)
    ]
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:
        found.append("regime.json: a number is not finite")
    if found:
        raise PublicationBlocked(sorted(found))


def _columns(table: Table) -> dict[str, dict[str, str]]:
    return {c.name: {"unit": c.unit, "definition": c.definition} for c in table.columns}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """A value for JSON: dates in ISO 8601, times in UTC."""
    if isinstance(value, dt.datetime):
        return f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, dt.date) else value
