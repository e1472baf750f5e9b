"""Views and table macros of the published file, with a comment on each and on every column; a 1.4 client runs them.

No macro parameter has a column's name: DuckDB would bind both sides of a comparison to it, silently.
Bodies name tables without a schema, so that they work in a file opened directly, or after USE.
"""

from __future__ import annotations

from assets.catalog.models import Catalog, Table
from assets.catalog.render import comment_statements, literal, quoted
from assets.publish.revision_macros import revision_statements

VIEWS = ("about", "regime_current", "evidence_current", "four_by_four", "what_changed")
_WHAT = (
    "Measures what monetary easing in the United States is poured into: a bubble, a depression or neither, "
    "with nothing on a row that was not known on its date."
)
_CAUTION = {
    "sample": "SAMPLE DATA: bundled figures that end with as_of_date. "
    "A measurement, no forecast and no advice.",
    "live": "A measurement, no forecast and no advice. The row of a run date inside a month is provisional.",
}
_RESTRICTED = " Holds raw figures of series with restricted rights: not to be passed on (LICENSES.md)."
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
_KNOWN = """
SELECT o.series_id, o.observation_date, o.value, o.realtime_start, o.realtime_end, o.vintage_source
FROM observations AS o
WHERE {which}o.realtime_start <= as_of AND o.realtime_end >= as_of{order}
"""
# Signature: which rows, in which order, comment. All series at once are not sorted again: they are stored in this
# order, and sorting ten million rows would take longer than reading them.
_MACROS = {
    "series_as_of(sid, as_of)": (
        "o.series_id = sid AND ",
        " ORDER BY o.observation_date",
        "Every observation of series `sid` as it was known on the date `as_of`: "
        "from series_as_of('UNRATE', DATE '2020-04-30').",
    ),
    "all_as_of(as_of)": (
        "",
        "",
        "Every observation of every series as it was known on the date `as_of`: "
        "from all_as_of(DATE '2020-04-30').",
    ),
}


def view_statements(catalog: Catalog, profile: str) -> list[str]:
    """Statements that create views and macros, with comments, in the current database, which has the tables."""
    current = [
        _CURRENT.format(
            view=view,
            table=table,
            columns=", ".join(f"r.{quoted(name)}" for name in catalog.tables[table].column_names),
        )
        for view, table in (("regime_current", "regime"), ("evidence_current", "regime_evidence"))
    ]
    by_condition = " UNION ALL ".join(_OF_CONDITION.format(name=name) for name in _CONDITIONS)
    items = ",".join(_item(name, catalog) for name in (*_LABELS, *_SCORES))
    about = {"what": _WHAT, "caution": _CAUTION[profile], "restricted": _RESTRICTED}
    statements = [
        *current,
        f"CREATE VIEW four_by_four AS {by_condition}",
        _WHAT_CHANGED.format(items=items),
        _ABOUT.format(**{name: literal(text) for name, text in about.items()}),
    ]
    for table in view_tables(catalog):
        statements += comment_statements(table, quoted(table.name), is_view=True)
    for signature, (which, order, comment) in _MACROS.items():
        statements += [
            f"CREATE MACRO {signature} AS TABLE {_KNOWN.format(which=which, order=order)}",
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
    shapes = dict(catalog.tables)
    for name, (of, title, grain) in newest.items():
        update = {"name": name, "title": title, "grain": grain}
        shapes[name] = catalog.tables[of].model_copy(update=update)
    return [shapes[name] for name in VIEWS]


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
