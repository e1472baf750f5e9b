"""Table macros on the revisions of one series: first, second, third and latest release of every period, and their size.

Real vintages only (ALFRED, real-time data sets): a figure dated by lag rule has no first release. Nor has a period that
was already in the first vintage of the series.
"""

from __future__ import annotations

from assets.catalog.render import literal
from assets.compute.archive import REAL_VINTAGES

_REAL = ", ".join(map(literal, REAL_VINTAGES))
# Without a CTE: DuckDB 1.4.0 loses those of a stored macro. In a join the error is certain, in a WHERE it would not be.
NAMED = """(
  SELECT CASE count(*) FILTER (lower(s.series_id) = lower(sid))
    WHEN 1 THEN max(s.series_id) FILTER (lower(s.series_id) = lower(sid))
    ELSE error(concat('no figures of series ', max(coalesce(sid, 'NULL')), ' in this file; did you mean ',
      arg_max(s.series_id, jaro_winkler_similarity(lower(s.series_id), lower(coalesce(sid, '')))), '? (table series)'))
    END AS series_id
  FROM pit.series AS s WHERE s.is_published
) AS named JOIN """
_REVISIONS = f"""
SELECT r.series_id, r.observation_date, len(r.released) AS releases, r.first_known_on, r.latest_known_on,
  r.released[1] AS first_value, r.released[2] AS second_value, r.released[3] AS third_value,
  r.released[-1] AS latest_value, r.released[-1] - r.released[1] AS revision
FROM (
  SELECT o.series_id, o.observation_date, list(o.value ORDER BY o.realtime_start) AS released,
    min(o.realtime_start) AS first_known_on, max(o.realtime_start) AS latest_known_on,
    bool_and(o.vintage_source IN ({_REAL})) AS is_real,
    min(min(o.realtime_start)) OVER () AS began
  FROM {NAMED}pit.observations AS o ON o.series_id = named.series_id
  WHERE o.value IS NOT NULL
  GROUP BY o.series_id, o.observation_date
) AS r
WHERE r.is_real AND r.first_known_on > r.began
"""
_SUMMARY = f"""
SELECT any_value(t.series_id) AS series_id, count(*) AS periods, min(t.observation_date) AS first_period,
  max(t.observation_date) AS last_period, avg(CASE WHEN t.revision <> 0 THEN 1.0 ELSE 0.0 END) AS revised_share,
  avg(t.revision) AS bias, avg(abs(t.revision)) AS mean_absolute_revision,
  avg(t.second_value - t.first_value) AS bias_second, avg(abs(t.second_value - t.first_value)) AS mean_absolute_second,
  arg_max(t.revision, abs(t.revision)) AS largest_revision
FROM ({_REVISIONS}) AS t
"""
_MACROS = {
    "revisions(sid)": (
        f"{_REVISIONS} ORDER BY r.observation_date",
        "First, second, third and latest release of every period of series `sid`, in its unit: "
        "from revisions('PAYEMS'). Real vintages only; periods of the first vintage are left out.",
    ),
    "revision_summary(sid)": (
        _SUMMARY,
        "Bias (mean of latest less first release) and mean absolute size of the revisions of series `sid`, "
        "in its unit, and of the second release: from revision_summary('PAYEMS'). Real vintages only.",
    ),
}


def revision_statements() -> list[str]:
    """Statements that create the macros with their comments, in the current database, which has the tables."""
    return [
        statement
        for signature, (query, comment) in _MACROS.items()
        for statement in (
            f"CREATE MACRO {signature} AS TABLE {query}",
            f"COMMENT ON MACRO TABLE {signature.partition('(')[0]} IS {literal(comment)}",
        )
    ]
