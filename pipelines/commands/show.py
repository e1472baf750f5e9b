"""What the published file says: `show` the verdict, `explain` the inputs behind a label, `as-of` the values of a series
known on a date, `sql` the result of a query, `open` where the file is. Nothing is computed again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import difflib

import duckdb

from assets.report.published import Release
from assets.report.words import CONDITIONS, regime_words, withheld_or
from assets.warehouse.connection import column_names
from pipelines.published_verdict import verdict_lines
from pipelines.release_file import (
    Row,
    aligned,
    day,
    number,
    open_published,
    print_rows,
    profile_words,
    rows,
    table_lines,
)
from pipelines.settings import ConfigurationError, load_folders, read_environment

FIRST_QUERIES = (
    "FROM regime_current",
    "SELECT condition, component, value, unit, rank FROM regime_evidence "
    "WHERE as_of_date = (SELECT max(as_of_date) FROM regime) ORDER BY condition, weight DESC",
    "FROM series_as_of('UNRATE', DATE '2025-11-05') ORDER BY observation_date DESC LIMIT 5",
)


_MOST_LINES = 200  # of a query, as text
_HEADER = (
    "condition", "input", "value", "unit", "rank", "weight", "adds", "about", "known since", "by", "series",
)  # fmt: skip
_RIGHT = ("value", "rank", "weight", "adds")
_SHOWN = 12
_FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly"}
_SOURCES = {
    "alfred": "a real vintage",
    "rtdsm": "a real vintage of the Philadelphia Fed's real-time data set",
    "publisher": "a real vintage that the publisher itself keeps",
    "captured": "first fetched by this installation that day",
    "lag_rule": "first publication reconstructed from the usual lag, the value is of a later vintage",
}


def show(args: argparse.Namespace) -> int:
    """Print the verdict of the published file; as data, the newest row of `regime`."""
    path = load_folders(read_environment()).published_path
    with open_published(path) as con:
        release = Release(con)
        newest, lines = release.today, verdict_lines(release, path)
    print_rows(args, [newest], lines)
    return 0


def open_(args: argparse.Namespace) -> int:
    """Print the path, alone with --path, else with ready commands and queries."""
    path = load_folders(read_environment()).published_path
    with open_published(path) as con:
        manifest = rows(con, "SELECT profile, as_of_date, published_at FROM release_manifest")[0]
    print(path)
    if args.path:
        return 0
    published = f"{manifest['published_at']:%Y-%m-%d %H:%M} UTC"
    documents = [path.parent / name for name in ("report.html", "README.txt")]
    lines = [
        f"{manifest['profile']} figures, as of {manifest['as_of_date']}, published {published}",
        *(f"next to it: {file}" for file in documents if file.exists()),
        "",
        "DuckDB's own program (1.2 or newer):",
        f"  duckdb -readonly '{path}' -c \"{FIRST_QUERIES[0]}\"",
        "Python:",
        "  import duckdb",
        f"  con = duckdb.connect({str(path)!r}, read_only=True)",
        f'  con.execute("{FIRST_QUERIES[0]}").df()',
        "",
        "Queries to begin with:",
        *(f"  {query};" for query in FIRST_QUERIES),
    ]
    print("\n".join(lines))
    return 0


def sql(args: argparse.Namespace) -> int:
    """Print the rows of a query; the file is open for reading only. Raises ConfigurationError, DuckDB's message."""
    if not args.query.strip(" \t\n;"):
        raise ConfigurationError("the query is empty: try 'FROM start_here'")
    with open_published(load_folders(read_environment()).published_path) as con:
        try:
            found = rows(con, args.query)
        except duckdb.Error as error:
            message = " ".join(str(error).partition("LINE 1:")[0].split())
            raise ConfigurationError(message) from None
        names = column_names(con)
    lines = table_lines(names, found[:_MOST_LINES])
    if len(found) > _MOST_LINES:
        lines.append(f"... {len(found) - _MOST_LINES:,} more rows: --csv or --json prints all of them")
    print_rows(args, found, lines, names)
    return 0


def explain(args: argparse.Namespace) -> int:
    """Print the evidence of the row of `args.date`, of the newest row without one."""
    with open_published(load_folders(read_environment()).published_path) as con:
        lines = explain_lines(con, args.date)
        print_rows(args, evidence_of(con, regime_row(con, args.date)), lines)
    return 0


def explain_lines(con: duckdb.DuckDBPyConnection, date: dt.date | None) -> list[str]:
    """The row of a date, or the nearest earlier one, with its evidence. ConfigurationError before the first row."""
    manifest = rows(con, "SELECT * FROM release_manifest")[0]
    regime = regime_row(con, date)
    evidence = evidence_of(con, regime)
    release = Release(con)
    note = [] if date in (None, regime["as_of_date"]) else [_nearest(date, manifest), ""]
    return [
        *note,
        f"{day(regime['as_of_date'])}: {regime_words(regime['regime'], regime['stance_driver'])}, "
        f"{profile_words(manifest)}",
        f"label {regime['regime']} since {day(regime['regime_since'])}; stance (a direction) "
        f"{regime['stance']} ({regime['stance_driver']}), level {regime.get('policy_level') or 'not rated'}; "
        f"condition {regime['condition_state']}; method {regime['method_version']}",
        "",
        *aligned(_HEADER, [_cells(e, release) for e in evidence], _RIGHT),
        "",
        *_sums(regime),
    ]


def evidence_of(con: duckdb.DuckDBPyConnection, regime: Row) -> list[Row]:
    """Every component of a row of `regime`: by condition, the largest contribution first."""
    evidence = rows(
        con,
        "SELECT * REPLACE (CASE WHEN score IS NOT NULL THEN contribution END AS contribution) "
        "FROM regime_evidence WHERE as_of_date = ?",
        [regime["as_of_date"]],
    )
    return sorted(evidence, key=_order)


def regime_row(con: duckdb.DuckDBPyConnection, date: dt.date | None) -> Row:
    """The row of a date, or the nearest earlier one. ConfigurationError before the first row."""
    found = rows(
        con,
        "SELECT * FROM regime WHERE ? IS NULL OR as_of_date <= ? ORDER BY as_of_date DESC LIMIT 1",
        [date, date],
    )
    if not found:
        first = con.execute("SELECT min(as_of_date) FROM regime").fetchall()[0][0]
        raise ConfigurationError(f"there is no row for {date}: the first one is {first}")
    return found[0]


def _nearest(date: dt.date | None, manifest: Row) -> str:
    if date is not None and date > manifest["as_of_date"]:
        return f"{date} is after the newest row, which is shown."
    return f"{date} has no row; the nearest earlier one is shown (month-ends and the run date have one)."


def _order(evidence: Row) -> tuple[int, bool, float, str]:
    """By condition, inputs with a weight first, the largest contribution first."""
    position = CONDITIONS.index(evidence["condition"])
    return position, evidence["weight"] == 0, -(evidence["contribution"] or 0.0), evidence["component"]


def _cells(evidence: Row, release: Release) -> tuple[str, ...]:
    missing = (evidence["absent_reason"] or "").replace("_", " ")
    return (
        evidence["condition"],
        evidence["component"],
        withheld_or(number(evidence["value"]) if evidence["value"] is not None else missing, evidence),
        evidence["unit"],
        number(evidence["rank"]),
        number(evidence["weight"], 3),
        number(evidence["contribution"], 3)
        if evidence["weight"] > 0
        else (missing if evidence["score"] else "-"),
        release.period(evidence["observation_date"], evidence["series_ids"] or ""),
        day(evidence["available_on"]),
        evidence["vintage_source"] or "-",
        evidence["series_ids"] or "-",
    )


def _sums(regime: Row) -> list[str]:
    scores = ", ".join(f"{name} {number(regime[f'{name}_score'])}" for name in CONDITIONS[:3])
    lines = [
        f"score {number(regime['bubble_score'], 3)} = mean of {scores}; `adds` sums to it. "
        f"Inflation {number(regime['inflation_score'])} is not part of it.",
        f"coverage {number(regime['coverage'])}; {number(regime['distance_to_threshold'], 3)} from the nearest "
        f"threshold; first published {regime['first_published_at']:%Y-%m-%d %H:%M} UTC",
    ]
    if regime["indeterminate_reason"]:
        lines.append(f"indeterminate: {regime['indeterminate_reason']}")
    return lines


def as_of(args: argparse.Namespace) -> int:
    """Print the newest observations of `args.series` as known on `args.date`."""
    with open_published(load_folders(read_environment()).published_path) as con:
        manifest = rows(con, "SELECT * FROM release_manifest")[0]
        series = _series(con, args.series, manifest)
        known = rows(con, "SELECT * FROM series_as_of(?, ?)", [series["series_id"], args.date])
        names = column_names(con)
        newest_first = sorted(known, key=lambda row: row["observation_date"], reverse=True)
        lines = _as_of_lines(con, args.date, series, newest_first, manifest)
    print_rows(args, known, lines, names)
    return 0


def _as_of_lines(
    con: duckdb.DuckDBPyConnection, on: dt.date, series: Row, known: list[Row], manifest: Row
) -> list[str]:
    """The values of a series known on a day, newest first, as text."""
    lines = [
        f"{series['series_id']}: {series['title']}",
        f"{series['unit']}, {_FREQUENCIES[series['frequency']]}, {series['seasonal_adjustment']}; "
        f"{series['publisher']}; {profile_words(manifest)}",
    ]
    if on > manifest["as_of_date"]:
        lines.append(
            f"{on} is after the file's as-of date: nothing known after {manifest['as_of_date']} is in it."
        )
    if not known:
        return [*lines, "", f"No value was known on {on}; {_first_known(con, series)}"]
    return [*lines, "", _newest(on, known), "", *_table(known), "", *_legend(known)]


def _series(con: duckdb.DuckDBPyConnection, name: str, manifest: Row) -> Row:
    found = rows(con, "SELECT * FROM series WHERE upper(series_id) = upper(?)", [name])
    if not found:
        ids = [row["series_id"] for row in rows(con, "SELECT series_id FROM series ORDER BY series_id")]
        titled = rows(
            con,
            "SELECT series_id FROM series WHERE contains(upper(title), upper($1)) OR starts_with(series_id, upper($1)) "
            "ORDER BY 1",
            [name],
        )
        close = [row["series_id"] for row in titled[:3]] or difflib.get_close_matches(
            name.upper(), ids, n=3, cutoff=0.5
        )
        hint = f"did you mean {' or '.join(close)}?" if close else "`series` in the file lists them all"
        raise ConfigurationError(f"there is no series {name}: {hint}")
    series = found[0]
    if series["is_published"]:
        return series
    if series["rights"] == "restricted":
        why = "its rights are restricted: the published file contains its figures only with REGIME_PUBLISH_RESTRICTED=1"
    elif not series["in_profile"]:
        why = f"it is not in the {manifest['profile']} profile"
    else:
        why = f"no figure has been fetched (last fetch: {series['fetch_status'] or 'none'})"
    raise ConfigurationError(f"{series['series_id']}: {why}; see {series['source_url']}")


def _first_known(con: duckdb.DuckDBPyConnection, series: Row) -> str:
    first = con.execute(
        "SELECT min(realtime_start) FROM observations WHERE series_id = ?", [series["series_id"]]
    ).fetchall()
    return f"the first value became known on {first[0][0]}."


def _newest(on: dt.date, known: list[Row]) -> str:
    newest = next((row for row in known if row["value"] is not None), None)
    count = f"Known on {on}: {len(known)} observations"
    if newest is None:
        return f"{count}, all published as missing."
    return (
        f"{count}, the newest about {day(newest['observation_date'])}: {_value(newest)}, "
        f"known from {day(newest['realtime_start'])} {_until(newest)}."
    )


def _until(row: Row) -> str:
    return "on" if row["realtime_end"].year == 9999 else f"until {day(row['realtime_end'])}"


def _value(row: Row) -> str:
    """The value in full: as many decimals as it has, at most six."""
    if row["value"] is None:
        return "missing"
    return number(row["value"], 6).rstrip("0").rstrip(".")


def _table(known: list[Row]) -> list[str]:
    header = ("about", "value", "known from", "until", "by")
    shown = [
        (
            day(row["observation_date"]),
            _value(row),
            day(row["realtime_start"]),
            "" if row["realtime_end"].year == 9999 else day(row["realtime_end"]),
            row["vintage_source"],
        )
        for row in reversed(known[:_SHOWN])
    ]
    return aligned(header, shown, right=("value",))


def _legend(known: list[Row]) -> list[str]:
    used = {row["vintage_source"] for row in known[:_SHOWN]}
    return [f"{source}: {meaning}" for source, meaning in _SOURCES.items() if source in used]
