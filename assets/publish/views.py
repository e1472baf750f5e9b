"""Views and table macros of the published file, with a comment on each and on every column; a 1.4 client runs them.

No macro parameter has a column's name: DuckDB would bind both sides of a comparison to it, silently.
Views name tables without a schema, so that they work in a file opened directly and attached under any name. Macros
work there after USE. They read the schema `pit`, since a table of the session hides one of `main` with the same name.
"""

from __future__ import annotations

from collections.abc import Iterator

from assets.catalog.models import Catalog, Column, Table
from assets.catalog.render import comment_statements, literal, qualified_name, quoted
from assets.publish.documents.examples import examples
from assets.publish.monthly import MONTHLY, monthly_statement, monthly_table
from assets.publish.revision_macros import NAMED, revision_statements

VIEWS = (
    "start_here", MONTHLY, "spells", "about", "regime_current", "evidence_current", "what_changed", "four_by_four",
)  # fmt: skip
POINT_IN_TIME = "pit"
_POINT_IN_TIME_TABLES = ("observations", "series")
_WHAT = (
    "Measures what monetary easing in the United States is poured into: a bubble, a depression or neither, "
    "with nothing on a row that was not known on its date."
)
_CAUTION = {
    "sample": "SAMPLE DATA: bundled figures that end with as_of_date. "
    "A measurement, no forecast and no advice.",
    "public": "A measurement, no forecast and no advice. The figures come from their publishers without a key: see "
    "series.fetched_from. The row of a run date inside a month is provisional.",
    "live": "A measurement, no forecast and no advice. The row of a run date inside a month is provisional.",
}
_RESTRICTED = " Holds raw figures of series with restricted rights: not to be passed on (LICENSES.md)."
# An absent input contributes nothing that is known, which is not 0.
_CHANGED = {"contribution": "CASE WHEN r.score IS NOT NULL THEN r.contribution END AS contribution"}
_CURRENT = """
CREATE VIEW {view} AS
SELECT {columns}
FROM {table} AS r
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
  {caution} || CASE WHEN m.restricted_series_count > 0 THEN {restricted} ELSE '' END AS caution
FROM release_manifest AS m
JOIN regime AS r ON r.as_of_date = m.as_of_date
"""
_CONDITIONS = ("valuation", "economy", "credit", "inflation")
_OF_CONDITION = """
SELECT as_of_date, phase, kind, title, '{name}' AS condition, {name}_score AS score, {name}_verdict AS verdict,
  date_after, {name}_score_after AS score_after, {name}_verdict_after AS verdict_after
FROM qe_phases
"""
_LABELS = ("regime", "stance", "stance_realised", "condition_state")
_SCORES = ("bubble_score", "valuation_score", "economy_score", "credit_score", "inflation_score", "coverage")
_COMPARED = ", ".join(("as_of_date", *_LABELS, *_SCORES))
# A withheld figure (a vintage, no value) is listed by its observation and its rank.
_WHAT_CHANGED = f"""
CREATE VIEW what_changed AS
WITH newest AS MATERIALIZED (SELECT {_COMPARED} FROM regime_current),
past AS MATERIALIZED (
  SELECT 'month_end_before' AS compared_with, {_COMPARED} FROM regime
  WHERE as_of_date = (
    SELECT max(r.as_of_date) FROM regime AS r WHERE r.is_month_end AND r.as_of_date < (SELECT as_of_date FROM newest)
  )
  UNION ALL
  SELECT 'publication_before', {_COMPARED} FROM regime_nightly
  WHERE published_at = (
    SELECT max(n.published_at) FROM regime_nightly AS n
    WHERE n.published_at < (SELECT m.published_at FROM release_manifest AS m)
  )
)
SELECT compared_with, i.item, before_as_of_date, as_of_date, i.unit,
  i.text_before, i.text_now, i.value_before, i.value_now
FROM (
  SELECT past.compared_with, past.as_of_date AS before_as_of_date, newest.as_of_date, unnest([{{items}}]) AS i
  FROM past CROSS JOIN newest
)
WHERE i.text_before IS DISTINCT FROM i.text_now OR i.value_before IS DISTINCT FROM i.value_now
UNION ALL
SELECT 'month_end_before', now.condition || '.' || now.component, was.as_of_date, now.as_of_date, now.unit,
  NULL, NULL, was.value, now.value
FROM evidence_current AS now
JOIN past ON past.compared_with = 'month_end_before'
JOIN regime_evidence AS was
  ON was.as_of_date = past.as_of_date AND was.condition = now.condition AND was.component = now.component
WHERE was.value IS DISTINCT FROM now.value OR (
  coalesce(was.vintage_source, now.vintage_source) IS NOT NULL AND was.value IS NULL
  AND (was.observation_date IS DISTINCT FROM now.observation_date OR was.rank IS DISTINCT FROM now.rank)
)
"""
_ITEM = """
      {{'item': '{name}', 'unit': '{unit}', {texts}, {values}}}"""
_START_HERE = """
CREATE VIEW start_here AS
SELECT * FROM (VALUES {rows}) AS rows_of(position, question, table_name, query)
"""
_SPELLS = """
CREATE VIEW spells AS
SELECT s.start_month_end, s.end_month_end, s.months, s.label, s.next_start IS NULL AS is_open,
  c.changed_part AS ended_by,
  nullif(concat_ws('; ',
    CASE WHEN c.stance_before IS DISTINCT FROM c.stance THEN
      concat('stance ', coalesce(c.stance_before, 'unknown'), ' to ', coalesce(c.stance, 'unknown'),
        ' (' || c.stance_cause || ')') END,
    CASE WHEN c.condition_state_before IS DISTINCT FROM c.condition_state THEN
      concat('condition ', c.condition_state_before, ' to ', c.condition_state,
        ' (' || c.thresholds_crossed || coalesce(', most of it ' || c.component, '') || ')') END
  ), '') AS ended_because, s.next_label
FROM (
  SELECT min(as_of_date) AS start_month_end, max(as_of_date) AS end_month_end, count(*) AS months,
    any_value(regime) AS label, lead(min(as_of_date)) OVER (ORDER BY spell) AS next_start,
    lead(any_value(regime)) OVER (ORDER BY spell) AS next_label
  FROM (
    SELECT as_of_date, regime, count(*) FILTER (is_new) OVER (ORDER BY as_of_date) AS spell
    FROM (
      SELECT as_of_date, regime, regime IS DISTINCT FROM lag(regime) OVER (ORDER BY as_of_date) AS is_new
      FROM regime WHERE is_month_end
    )
  ) GROUP BY spell
) AS s LEFT JOIN regime_changes AS c ON c.as_of_date = s.next_start
ORDER BY s.start_month_end
"""
_KNOWN = """
SELECT o.series_id, o.observation_date, o.value, o.realtime_start, o.realtime_end, o.vintage_source
FROM {named}pit.observations AS o{on}
WHERE o.realtime_start <= as_of AND o.realtime_end >= as_of{order}
"""
# Signature: join with the series, order, comment. All series at once are not sorted again: they are stored in this
# order, and sorting ten million rows would take longer than reading them.
_MACROS = {
    "series_as_of(sid, as_of)": (
        (NAMED, " ON o.series_id = named.series_id", " ORDER BY o.observation_date"),
        "Every observation of series `sid` as it was known on the date `as_of`: "
        "from series_as_of('UNRATE', DATE '2020-04-30'). Case does not matter; an unknown series is an error.",
    ),
    "all_as_of(as_of)": (
        ("", "", ""),
        "Every observation of every series as it was known on the date `as_of`: "
        "from all_as_of(DATE '2020-04-30').",
    ),
}


def view_statements(catalog: Catalog, profile: str) -> list[str]:
    """Statements that create views and macros, with comments, in the current database, which has the tables."""
    stored = [catalog.tables[name] for name in _POINT_IN_TIME_TABLES]
    current = [
        _CURRENT.format(
            view=view,
            table=table,
            columns=", ".join(
                _CHANGED.get(name, f"r.{quoted(name)}") for name in catalog.tables[table].column_names
            ),
        )
        for view, table in (("regime_current", "regime"), ("evidence_current", "regime_evidence"))
    ]
    by_condition = " UNION ALL ".join(_OF_CONDITION.format(name=name) for name in _CONDITIONS)
    items = ",".join(_item(name, catalog) for name in (*_LABELS, *_SCORES))
    about = {"what": _WHAT, "caution": _CAUTION[profile], "restricted": _RESTRICTED}
    statements = [
        *(
            f"CREATE VIEW {quoted(table.name)} AS FROM {qualified_name(table, schema=POINT_IN_TIME)}"
            for table in stored
        ),
        *current,
        _SPELLS,
        monthly_statement(catalog),
        _START_HERE.format(rows=",\n".join(_start_here())),
        f"CREATE VIEW four_by_four AS {by_condition}",
        _WHAT_CHANGED.format(items=items),
        _ABOUT.format(**{name: literal(text) for name, text in about.items()}),
    ]
    for table in (*stored, *view_tables(catalog)):
        statements += comment_statements(table, quoted(table.name), is_view=True)
    for signature, ((named, on, order), comment) in _MACROS.items():
        statements += [
            f"CREATE MACRO {signature} AS TABLE {_KNOWN.format(named=named, on=on, order=order)}",
            f"COMMENT ON MACRO TABLE {signature.partition('(')[0]} IS {literal(comment)}",
        ]
    return [*statements, *revision_statements()]


def view_tables(catalog: Catalog) -> list[Table]:
    """Shape and wording of every view, as tables of the catalogue."""
    newest = {
        "regime_current": ("regime", "The newest row of regime.", "One row, the run date"),
        "evidence_current": (
            "regime_evidence",
            "The evidence for the newest row of regime.",
            "One row per condition and component, on the run date",
        ),
    }
    shapes = {**catalog.tables, MONTHLY: monthly_table(catalog)}
    for name, (of, title, grain) in newest.items():
        columns = tuple(_nullable(column) for column in catalog.tables[of].columns)
        update = {"name": name, "group": "start", "title": title, "grain": grain, "columns": columns}
        shapes[name] = catalog.tables[of].model_copy(update=update)
    return [shapes[name] for name in VIEWS]


def file_schema(table: Table) -> str:
    """Schema of a table in the published file: `pit` for what the macros read, with a view of its name in `main`."""
    return POINT_IN_TIME if table.name in _POINT_IN_TIME_TABLES else "main"


def _start_here() -> Iterator[str]:
    """Rows of start_here: the example queries."""
    for position, example in enumerate(examples(), start=1):
        texts = map(literal, (example.question, example.reads, example.sql))
        yield f"({position}, {', '.join(texts)})"


def _nullable(column: Column) -> Column:
    """A column of evidence_current: NULL instead of 0 where an input is absent. In regime_evidence live rows hold 0."""
    if column.name not in _CHANGED:
        return column
    definition = f"{column.definition.rstrip('.')}; NULL where the input is absent."
    return column.model_copy(update={"nullable": True, "definition": definition, "formula": None})


def _item(name: str, catalog: Catalog) -> str:
    """One column of regime, before and now, as a struct."""
    nothing = "'{what}_before': NULL::{kind}, '{what}_now': NULL::{kind}"
    both = f"'{{what}}_before': past.{name}, '{{what}}_now': newest.{name}"
    texts, values = (both, nothing) if name in _LABELS else (nothing, both)
    return _ITEM.format(
        name=name,
        unit=catalog.tables["regime"].column(name).unit,
        texts=texts.format(kind="VARCHAR", what="text"),
        values=values.format(kind="DOUBLE", what="value"),
    )
