"""`regime.json`: the state of the release for programs without DuckDB, from the staged file only.

`shipped/regime.schema.json` declares its shape. The staged file decides which figures may be passed on.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import duckdb

from assets.catalog.models import Table
from assets.publish.documents.facts import DocumentFacts
from assets.publish.documents.verbatim import shipped
from assets.publish.publication import PublicationBlocked
from assets.warehouse.connection import query_rows

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
            "regime": _described(facts.catalog.tables["regime"]),
            "evidence": _described(facts.catalog.tables["regime_evidence"]),
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


def _described(table: Table) -> dict[str, dict[str, str]]:
    return {c.name: {"unit": c.unit, "definition": c.definition} for c in table.columns}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """A value for JSON: dates in ISO 8601, times in UTC."""
    if isinstance(value, dt.datetime):
        return f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, dt.date) else value
