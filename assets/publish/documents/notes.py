"""`RELEASE_NOTES.md`: what is different from the release before.

Belongs here: label, month-ends, figures, corrections, late figures, method and columns, as the two releases show them.
Does not belong here: what changed in the program (CHANGELOG.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from assets.publish.documents.facts import DocumentFacts, Rows, asked

_SHOWN = 20  # of new month-ends, which are all of them after a change of the method
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
SELECT o.series_id,
  count(*) FILTER (old.observation_date IS NULL) AS new,
  count(*) FILTER (old.observation_date IS NOT NULL) AS revised
FROM (SELECT * FROM observations ANTI JOIN {observations} AS b
      USING (series_id, observation_date, realtime_start)) AS o
LEFT JOIN (SELECT DISTINCT series_id, observation_date FROM {observations}) AS old
  USING (series_id, observation_date)
GROUP BY o.series_id ORDER BY o.series_id
"""
# By cause: of regime the rows and how many of its changed cells are labels, of other tables the cells.
_CORRECTED = """
SELECT reason, series_ids, min(coalesce(first_date, as_of_date)) AS first_date,
  max(coalesce(last_date, as_of_date)) AS last_date, count(DISTINCT as_of_date) AS rows_of_regime,
  count(*) FILTER (column_name = 'regime') AS labels, coalesce(sum(cells), 0) AS cells,
  count(DISTINCT table_name) FILTER (table_name <> 'regime') AS other_tables
FROM row_corrections WHERE release_id = (SELECT release_id FROM release_manifest)
GROUP BY ALL ORDER BY reason, series_ids
"""
_REASONS = {
    "late": "reached us late",
    "better_vintage": "real vintages replaced reconstructed ones",
    "corrected": "corrected by the publisher",
    "retracted": "taken back by the publisher",
}
_COLUMNS = """
SELECT coalesce(n.table_name, b.table_name) || '.' || coalesce(n.column_name, b.column_name) AS name,
  b.column_name IS NULL AS is_new
FROM columns AS n FULL JOIN {columns} AS b USING (table_name, column_name)
WHERE n.column_name IS NULL OR b.column_name IS NULL ORDER BY name
"""
_WHO = """## Who should use it
Whoever needs to know what was measurable on a date, with the evidence behind it. Not for whoever looks for a
forecast, advice, or today's revised history alone: rows keep what was known on their date.
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
    return "\n".join([*head, *_changes(con, facts), *_corrected(con), *_late(con), "", _WHO])


def _changes(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> Iterator[str]:
    newest = facts.newest
    try:
        last = _asked_before(con, facts, _LAST) if facts.before is not None else []
    except duckdb.Error:
        last = []  # the release before cannot be read any more
    if not last:
        yield f"First release here. Label: {newest['regime']} since {newest['regime_since']}."
        return
    yield "## Label"
    yield f"{_label(last[0]['regime'], newest['regime'])}; as of {last[0]['as_of_date']} before."
    yield from ("", "## Labels of month-ends that are others now")
    relabelled = _asked_before(con, facts, _RELABELLED)
    yield from _listed([f"{row['as_of_date']}: {row['before']} -> {row['regime']}" for row in relabelled])
    yield from ("", "## Month-ends published for the first time")
    ends = asked(con, _NEW_MONTH_ENDS)
    yield from _listed([f"{row['as_of_date']}: {row['regime']}" for row in ends], _SHOWN)
    yield from ("", "## New and revised figures")
    figures = _asked_before(con, facts, _FIGURES)
    yield from _listed([f"{r['series_id']}: {r['new']} new, {r['revised']} revised" for r in figures])
    yield from ("", "## Method and columns")
    yield from _listed(list(_shape(con, facts)))


def _shape(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> Iterator[str]:
    method = _asked_before(con, facts, "SELECT method_version FROM {release_manifest}")[0]["method_version"]
    if method != facts.manifest["method_version"]:
        moved = con.execute("SELECT count(*) FROM method_changes").fetchall()[0][0]
        yield f"method {method} -> {facts.manifest['method_version']}; {moved} labels differ (`method_changes`)"
    for row in _asked_before(con, facts, _COLUMNS):
        yield f"column `{row['name']}` {'added' if row['is_new'] else 'removed with this release'}"


def _late(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    rows = asked(con, "SELECT series_id, count(*) AS n FROM late_figures GROUP BY ALL ORDER BY ALL")
    yield from ("", "## Figures that came too late for a live month-end")
    yield from _listed([f"{row['series_id']}: {row['n']}; live rows never change" for row in rows])


def _corrected(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield from ("", "## Corrected rows of past month-ends")
    yield from _listed([_correction(row) for row in asked(con, _CORRECTED)])


def _correction(row: dict[str, Any]) -> str:
    return (
        f"{row['series_ids']} {_REASONS[row['reason']]}: {row['first_date']} to {row['last_date']}, "
        f"{row['rows_of_regime']} rows of `regime` with {row['labels']} other labels, {row['cells']} cells in "
        f"{row['other_tables']} other tables (`row_corrections`)"
    )


def _label(before: str, now: str) -> str:
    return f"unchanged: {now}" if before == now else f"{before} -> {now}"


def _listed(lines: list[str], at_most: int | None = None) -> list[str]:
    shown = lines[:at_most]
    more = [f"- and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return [*(f"- {line}" for line in shown), *more] or ["none"]


def _asked_before(con: duckdb.DuckDBPyConnection, facts: DocumentFacts, query: str) -> Rows:
    """Answer of a query in which a name in braces is that table of the release before."""
    place = str(facts.before).replace("'", "''")
    tables = ("regime", "observations", "columns", "release_manifest")
    return asked(con, query.format(**{t: _BEFORE.format(before=place, table=t) for t in tables}))
