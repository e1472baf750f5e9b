"""`as-of`: the values of one series known on a date, from the published file and by its own macro."""

from __future__ import annotations

import argparse
import datetime as dt
import difflib

import duckdb

from assets.warehouse.connection import column_names
from pipelines.commands.printed_rows import print_rows
from pipelines.release_file import Row, aligned, day, number, open_published, profile_words, rows
from pipelines.settings import ConfigurationError, load_folders, read_environment

_SHOWN = 12
_FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly"}
_SOURCES = {
    "alfred": "a real vintage",
    "rtdsm": "a real vintage of the Philadelphia Fed's real-time data set",
    "publisher": "a real vintage that the publisher itself keeps",
    "captured": "first fetched by this installation that day",
    "lag_rule": "first publication reconstructed from the usual lag, the value is of a later vintage",
}


def as_of(args: argparse.Namespace) -> int:
    """Print the newest observations of `args.series` as known on `args.date`."""
    with open_published(load_folders(read_environment()).published_path) as con:
        lines = as_of_lines(con, args.date, args.series)
        known = rows(con, "SELECT * FROM series_as_of(?, ?)", [args.series.upper(), args.date])
        names = column_names(con)
    print_rows(args, known, lines, names)
    return 0


def as_of_lines(con: duckdb.DuckDBPyConnection, on: dt.date, name: str) -> list[str]:
    """The values of a series known on a day. ConfigurationError for a series that is not in the file."""
    manifest = rows(con, "SELECT * FROM release_manifest")[0]
    series = _series(con, name, manifest)
    known = rows(
        con, "SELECT * FROM series_as_of(?, ?) ORDER BY observation_date DESC", [series["series_id"], on]
    )
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
