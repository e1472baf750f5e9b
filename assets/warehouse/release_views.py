"""Views and table macros of the published file, with a comment on each and on every column.

Belongs here: their SQL. Does not belong here: tables (`release.py`), anything a 1.4 client cannot run.

No macro parameter bears a column's name: DuckDB would bind both sides of a comparison to it, silently.
Bodies name tables without a schema, so that they work in a file opened directly, or after USE.
"""

from __future__ import annotations

import duckdb

from assets.catalog.models import Catalog, Table
from assets.catalog.render import comment_statements, literal, quoted

VIEWS = ("about", "regime_current")

_WHAT = (
    "Measures what monetary easing in the United States is poured into: a bubble, a depression or neither, "
    "with nothing on a row that was not known on its date."
)
_CAUTION = {
    "sample": "SAMPLE DATA: bundled figures that end with as_of_date. "
    "A measurement, no forecast and no advice.",
    "live": "A measurement, no forecast and no advice. The row of a run date inside a month is provisional.",
}

_REGIME_CURRENT = """
CREATE VIEW regime_current AS
SELECT {columns}
FROM regime AS r
WHERE r.as_of_date = (SELECT max(newest.as_of_date) FROM regime AS newest)
"""
_ABOUT = """
CREATE VIEW about AS
SELECT
  {what} AS what, m.profile, m.as_of_date,
  r.regime, r.regime_since, r.stance, r.condition_state, r.bubble_score, r.pit_grade,
  m.method_version, m.code_version, m.release_id, m.published_at,
  (SELECT count(*) FROM series AS s WHERE s.is_published) AS series_count,
  (SELECT count(*) FROM observations) AS observation_rows,
  (SELECT count(*) FROM regime AS past WHERE past.is_month_end) AS month_ends,
  {caution} AS caution
FROM release_manifest AS m
JOIN regime AS r ON r.as_of_date = m.as_of_date
"""
_KNOWN = """
SELECT o.series_id, o.observation_date, o.value, o.realtime_start, o.realtime_end, o.vintage_source
FROM observations AS o
WHERE {which}o.realtime_start <= as_of AND o.realtime_end >= as_of
ORDER BY o.series_id, o.observation_date
"""
_MACROS = {
    "series_as_of(sid, as_of)": (
        "o.series_id = sid AND ",
        "Every observation of series `sid` as it was known on the date `as_of`: "
        "from series_as_of('UNRATE', DATE '2020-04-30').",
    ),
    "all_as_of(as_of)": (
        "",
        "Every observation of every series as it was known on the date `as_of`: "
        "from all_as_of(DATE '2020-04-30').",
    ),
}


def create_views(con: duckdb.DuckDBPyConnection, catalog: Catalog, profile: str) -> None:
    """Create views and macros, with comments, in the database the connection uses; it has the tables."""
    regime = catalog.tables["regime"]
    columns = ", ".join(f"r.{quoted(name)}" for name in regime.column_names)
    con.execute(_REGIME_CURRENT.format(columns=columns))
    con.execute(_ABOUT.format(what=literal(_WHAT), caution=literal(_CAUTION[profile])))
    for table in view_tables(catalog):
        for statement in comment_statements(table, quoted(table.name), is_view=True):
            con.execute(statement)
    for signature, (which, comment) in _MACROS.items():
        con.execute(f"CREATE MACRO {signature} AS TABLE {_KNOWN.format(which=which)}")
        name = signature.partition("(")[0]
        con.execute(f"COMMENT ON MACRO TABLE {name} IS {literal(comment)}")


def view_tables(catalog: Catalog) -> list[Table]:
    """Shape and wording of every view, as tables of the catalogue."""
    regime = catalog.tables["regime"]
    update = {
        "name": "regime_current",
        "title": "The newest row of regime.",
        "grain": "One row, the run date",
    }
    return [catalog.tables["about"], regime.model_copy(update=update)]
