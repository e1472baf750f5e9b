"""What `doctor` says of the published file and of the figures in it.

Belongs here: looking at the release. Does not belong here: the machine and the configuration (`doctor.py`).
"""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import duckdb

from assets.warehouse.connection import closed_to_readers
from pipelines.commands.doctor import Finding
from pipelines.commands.published import Row, open_published, rows
from pipelines.settings import ConfigurationError, Places

_OLD_DAYS = 4  # a weekday schedule leaves at most three nights without a release
_NAMED = 4


def published_file(places: Places) -> list[Finding]:
    """It opens, it is young enough, whose figures it holds, and no foreign WAL stands beside it."""
    path = places.published_path
    wal = path.with_name(path.name + ".wal")
    if not path.exists():
        return [Finding("WARN", "published file", "nothing is published yet: run `make run`")]
    if wal.exists():
        text = f"{wal} is not ours and keeps readers out: close the program that wrote it, and remove it"
        return [Finding("FAIL", "published file", text)]
    try:
        with open_published(path) as con:
            manifest = rows(con, "SELECT * FROM release_manifest")[0]
    except (ConfigurationError, duckdb.Error) as error:
        return [Finding("FAIL", "published file", " ".join(str(error).split()))]
    return [_age(path.stat().st_size, manifest), *_permissions(path)]


def _permissions(path: Path) -> list[Finding]:
    """Readers who can write beside the file can keep everybody else out of it."""
    if path.parent.stat().st_mode & stat.S_IWOTH:
        text = f"{path.parent} can be written by everybody: `chmod o-w {path.parent}`"
        return [Finding("WARN", "permissions", text)]
    if closed := closed_to_readers(path):
        return [Finding("WARN", "permissions", closed)]
    return []


def _age(size: int, manifest: Row) -> Finding:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    age = now - manifest["published_at"]
    text = f"{manifest['profile']}, as of {manifest['as_of_date']}, published {age.days} days ago, {size / 1e6:.1f} MB"
    if manifest["profile"] == "live" and age.days > _OLD_DAYS:
        return Finding("WARN", "published file", f"{text}: is the schedule running? (`make ui`)")
    return Finding("OK", "published file", text)


def observations(places: Places) -> list[Finding]:
    """Series whose newest figure was older than its limit on the as-of date, those without a figure apart."""
    try:
        with open_published(places.published_path) as con:
            read = rows(con, "SELECT * FROM series WHERE in_profile ORDER BY series_id")
            as_of = con.execute("SELECT as_of_date FROM release_manifest").fetchall()[0][0]
    except (ConfigurationError, duckdb.Error):
        return []  # said by the line about the file
    held = [series for series in read if series["last_period_end"] is not None]
    late = [_late(series, as_of) for series in held if _is_stale(series, as_of)]
    empty = [
        series["series_id"]
        for series in read
        if not series["rows_published"] and series["rights"] != "restricted"
    ]
    if not late and not empty:
        return [Finding("OK", "observations", f"{len(held)} series, all within their staleness limits")]
    found = []
    if late:
        text = f"{len(late)} of {len(held)} series are stale as of {as_of}: {_named(late)}"
        found.append(Finding("WARN", "observations", f"{text}; what rests on them alone is absent"))
    if empty:
        text = f"{_named(empty)} without a figure: see raw.fetches, or the asset in the UI"
        found.append(Finding("WARN", "observations", text))
    return found


def _is_stale(series: Row, as_of: dt.date) -> bool:
    limit: int = series["staleness_limit_days"]
    age: int = (as_of - series["last_period_end"]).days
    return 0 < limit < age


def _late(series: Row, as_of: dt.date) -> str:
    age = (as_of - series["last_period_end"]).days
    return f"{series['series_id']} ({age} days, limit {series['staleness_limit_days']})"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
