"""`RELEASE_NOTES.md`: what changed since the previous release, as the figures of the two show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from assets.publish.documents.facts import DocumentFacts
from assets.report.lead import lead_open, lead_verdict
from assets.report.published import Release, Row
from assets.warehouse.connection import query_rows

_SHOWN = 20  # new month-ends listed; after a change of the method all are new
_BEFORE = "read_parquet('{before}/parquet/{table}.parquet')"
_LAST = "SELECT as_of_date, regime, bubble_score FROM {regime} ORDER BY as_of_date DESC LIMIT 1"
_NEW_MONTH_ENDS = """
SELECT as_of_date, regime FROM regime
WHERE is_month_end AND first_published_at = (SELECT published_at FROM release_manifest) ORDER BY as_of_date
"""
_RELABELLED = """
SELECT now.as_of_date, was.regime AS before, now.regime
FROM regime AS now JOIN {regime} AS was USING (as_of_date)
WHERE now.is_month_end AND was.is_month_end AND now.regime <> was.regime ORDER BY as_of_date
"""
_FIGURES = """
WITH came AS MATERIALIZED (
  SELECT series_id, observation_date FROM observations
  ANTI JOIN {observations} AS was USING (series_id, observation_date, realtime_start)
), known AS (
  SELECT DISTINCT series_id, observation_date FROM {observations} SEMI JOIN came USING (series_id, observation_date)
)
SELECT series_id, count(*) FILTER (known.observation_date IS NULL) AS new, count(known.observation_date) AS revised
FROM came LEFT JOIN known USING (series_id, observation_date) GROUP BY series_id ORDER BY series_id
"""
# By cause: changed rows and labels of `regime`, changed cells of other tables.
_CORRECTED = """
SELECT reason, series_ids, min(coalesce(first_date, as_of_date)) AS first_date,
  max(coalesce(last_date, as_of_date)) AS last_date, count(DISTINCT as_of_date) AS rows_of_regime,
  count(*) FILTER (column_name = 'regime') AS labels, coalesce(sum(cells), 0) AS cells,
  count(DISTINCT table_name) FILTER (table_name <> 'regime') AS other_tables
FROM row_corrections WHERE release_id = (SELECT release_id FROM release_manifest)
GROUP BY ALL ORDER BY reason, series_ids
"""
_REASONS = {
    "late": "arrived late",
    "better_vintage": "real vintages replaced reconstructed ones",
    "corrected": "corrected by the publisher",
    "retracted": "retracted by the publisher",
}
_COLUMNS = """
SELECT coalesce(n.table_name, b.table_name) || '.' || coalesce(n.column_name, b.column_name) AS name,
  b.column_name IS NULL AS is_new
FROM columns AS n FULL JOIN {columns} AS b USING (table_name, column_name)
WHERE n.column_name IS NULL OR b.column_name IS NULL ORDER BY name
"""
_WHO = """## Who should use it
Readers who need to know what could be measured on a date, with its evidence. It is not for readers who want a
forecast, advice, or only today's revised history: rows keep what was known on their date.
"""


def notes(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of RELEASE_NOTES.md."""
    manifest = facts.manifest
    head = [
        f"# Release {manifest['release_id']}",
        "",
        f"As of {manifest['as_of_date']}, {manifest['profile']} figures, method {manifest['method_version']}, "
        f"code {manifest['code_version']}.",
        "",
    ]
    if facts.incomplete is not None:
        head += [f"This release is {facts.incomplete}.", ""]
    release = Release(con)
    verdict = [text for sentence in (lead_verdict, lead_open) if (text := sentence(release))]
    head += [" ".join(verdict), ""] if verdict else []
    corrected = [_correction(row) for row in query_rows(con, _CORRECTED)]
    late = query_rows(con, "SELECT series_id, count(*) AS n FROM late_figures GROUP BY ALL ORDER BY ALL")
    late_lines = [f"{row['series_id']}: {row['n']}; published live rows never change" for row in late]
    parts = [
        *_changes(con, facts),
        *("", "## Corrected rows of past month-ends", *_listed(corrected)),
        *("", "## Figures that arrived too late for a live month-end", *_listed(late_lines)),
    ]
    return "\n".join([*head, *parts, "", _WHO])


def _changes(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> Iterator[str]:
    newest = facts.newest
    try:
        last = _query_both(con, facts, _LAST) if facts.before is not None else []
    except duckdb.Error:
        last = []  # the previous release cannot be read any more
    if not last:
        yield f"First release in this data directory. Label: {newest['regime']} since {newest['regime_since']}."
        return
    yield "## Label"
    yield f"{_label(last[0]['regime'], newest['regime'])}; previous release as of {last[0]['as_of_date']}."
    yield from ("", "## Past month-ends with a changed label")
    relabelled = _query_both(con, facts, _RELABELLED)
    yield from _listed([f"{row['as_of_date']}: {row['before']} -> {row['regime']}" for row in relabelled])
    yield from ("", "## Month-ends published for the first time")
    ends = query_rows(con, _NEW_MONTH_ENDS)
    yield from _listed([f"{row['as_of_date']}: {row['regime']}" for row in ends], _SHOWN)
    yield from ("", "## New and revised figures")
    figures = _query_both(con, facts, _FIGURES)
    yield from _listed([f"{r['series_id']}: {r['new']} new, {r['revised']} revised" for r in figures])
    yield from ("", "## Method and columns")
    yield from _listed(list(_shape(con, facts)))


def _shape(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> Iterator[str]:
    method = _query_both(con, facts, "SELECT method_version FROM {release_manifest}")[0]["method_version"]
    if method != facts.manifest["method_version"]:
        moved = con.execute("SELECT count(*) FROM method_changes").fetchall()[0][0]
        yield f"method {method} -> {facts.manifest['method_version']}; {moved} labels changed (`method_changes`)"
    for row in _query_both(con, facts, _COLUMNS):
        yield f"column `{row['name']}` {'added' if row['is_new'] else 'removed with this release'}"


def _correction(row: dict[str, Any]) -> str:
    return (
        f"{row['series_ids']} {_REASONS[row['reason']]}: {row['first_date']} to {row['last_date']}, "
        f"{row['rows_of_regime']} rows of `regime` with {row['labels']} changed labels, {row['cells']} cells in "
        f"{row['other_tables']} other tables (`row_corrections`)"
    )


def _label(before: str, now: str) -> str:
    return f"unchanged: {now}" if before == now else f"{before} -> {now}"


def _listed(lines: list[str], at_most: int | None = None) -> list[str]:
    shown = lines[:at_most]
    more = [f"- and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return [*(f"- {line}" for line in shown), *more] or ["none"]


def _query_both(con: duckdb.DuckDBPyConnection, facts: DocumentFacts, query: str) -> list[Row]:
    """Rows of a query in which a name in braces is that table of the previous release."""
    folder = str(facts.before).replace("'", "''")
    tables = ("regime", "observations", "columns", "release_manifest")
    return query_rows(con, query.format(**{t: _BEFORE.format(before=folder, table=t) for t in tables}))
