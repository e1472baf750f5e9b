"""Before a release is built: freeze month-ends, and list changes of backfilled rows with their causes."""

from __future__ import annotations

import datetime as dt
from functools import partial
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Profile, Table
from assets.compute.archive import Captures, resolve
from assets.compute.diagnostics.revised import Newest, release_log, tables_by_series
from assets.compute.grid import freezable
from assets.compute.record import Compared, Frames, corrections, record_of
from assets.compute.registry import Computation
from assets.publish.manifest import ReleaseFacts
from assets.publish.staged_file import refuse_other_facts
from assets.run_facts import RunFacts
from assets.warehouse.live import (
    CaptureGroup,
    LiveRow,
    as_published,
    captures_since,
    complete_live_rows,
    freeze,
    live_rows,
    microseconds,
    panel_at,
    read_live,
)
from assets.warehouse.published_file import Before, release_before, released
from assets.warehouse.readers import load_captures, run_grid
from assets.warehouse.rights import passed_on, withheld
from assets.warehouse.tables import append_rows, transaction

_NEW_YORK = ZoneInfo("America/New_York")
_COMPLETE_BEFORE = """
SELECT count(*) > 0 FROM ops.publications WHERE profile = ? AND method_version = ? AND is_complete
"""
_CAME = "SELECT DISTINCT series_id FROM raw.vintages WHERE captured_at > ?"
_UNPUBLISHED = "DELETE FROM regime.{table} WHERE release_id NOT IN (SELECT release_id FROM ops.publications)"
_NEWEST_BEFORE = """
SELECT m.release_id, m.profile, r.as_of_date, r.regime, r.bubble_score
FROM release_manifest AS m JOIN regime AS r ON r.as_of_date = m.as_of_date
"""


def settle_rows(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, release: ReleaseFacts, catalog: Catalog
) -> None:
    """Freeze what this run may freeze, and list what changed in backfilled rows; both count once it is published.

    Raises WarehouseError, one line, when the regime was computed for another run.
    """
    refuse_other_facts(con, release)
    complete_live_rows(con, facts.profile, facts.run_date, catalog)
    freeze_rows(con, facts, release, catalog)
    list_corrections(con, facts, release, catalog)
    list_arrivals(con, facts, release, catalog)


def freeze_rows(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, release: ReleaseFacts, catalog: Catalog
) -> None:
    """Freeze the month-ends that are due, and drop what a run that did not publish had frozen."""
    days: list[dt.date] = []
    if release.captured_until is not None and _may_freeze(con, facts, catalog):
        today = np.datetime64(facts.started_at.astimezone(_NEW_YORK).date(), "D")
        live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
        frozen = [np.datetime64(row.as_of_date, "D") for row in live]
        grid = run_grid(facts.run_date, catalog)
        days = freezable(grid, today, frozen, catalog.method.row_kinds).tolist()
    row = LiveRow(
        facts.run_date,
        release.published_at,
        release.captured_until or release.published_at,
        facts.run_date,
        release.release_id,
    )
    freeze(con, days, facts.profile, row, catalog)


def list_corrections(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, release: ReleaseFacts, catalog: Catalog
) -> int:
    """Write what this release changes in backfilled rows of the previous one; the number of rows written."""
    frozen = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
    stored = read_live(con, catalog, frozen)
    now = {table.name: as_published(con, table, catalog, frozen) for table in catalog.as_of_tables()}
    before = release_before(con, facts, catalog)
    found = pd.DataFrame()
    if before is not None:
        dates = before.backfilled(frozen)
        if _differs(before, now, dates, catalog, facts.profile):
            found = _explained(con, facts, catalog, before, now, stored, dates)
    _list(con, catalog.tables["row_corrections"], release, found)
    return len(found)


def list_arrivals(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, release: ReleaseFacts, catalog: Catalog
) -> int:
    """Write what came in since the previous release of this profile, with its effects; the number of rows written."""
    found, before = pd.DataFrame(), _newest_before(con, facts)
    if before is not None:
        newest, captured_until = before
        came = {name for (name,) in con.execute(_CAME, [captured_until]).fetchall()}
        series_ids = sorted(came.intersection(catalog.series).union(tables_by_series(catalog)))
        captures = load_captures(con, series_ids)
        grids = tuple(run_grid(day, catalog) for day in (pd.Timestamp(newest.as_of).date(), facts.run_date))
        moment = microseconds(captured_until)
        found = release_log(captures, moment, newest, (grids[0], grids[1]), catalog, facts.profile)
    _list(con, catalog.tables["release_log"], release, found)
    return len(found)


def _newest_before(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> tuple[Newest, dt.datetime] | None:
    """The newest row of the published release, whatever its method, and the end of the archive it was computed from."""
    with released(facts.published_path) as file:
        if file is None:
            return None
        release_id, profile, as_of, label, score = file.execute(_NEWEST_BEFORE).fetchall()[0]
    known = con.execute(
        "SELECT captured_until FROM ops.publications WHERE release_id = ? AND captured_until IS NOT NULL",
        [release_id],
    ).fetchall()
    if profile != facts.profile or not known:
        return None
    day = np.datetime64(as_of, "D")
    return Newest(day, label, np.nan if score is None else score), known[0][0]


def _list(con: duckdb.DuckDBPyConnection, table: Table, release: ReleaseFacts, found: pd.DataFrame) -> None:
    """Append the rows of a release, numbered, and drop those of a run that did not publish."""
    with transaction(con):
        con.execute(_UNPUBLISHED.format(table=table.name))
        if len(found):
            number = {table.key[1]: range(1, len(found) + 1)}
            append_rows(con, table, found.assign(release_id=release.release_id, **number))


def _may_freeze(con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog) -> bool:
    """Whether a run may freeze rows: live figures, the real date, and a complete publication before it."""
    if facts.profile == "sample" or facts.is_historical or facts.accepts_incomplete:
        return False
    parameters = [facts.profile, catalog.method.method_version]
    return con.execute(_COMPLETE_BEFORE, parameters).fetchall() == [(True,)]


def _differs(
    before: Before, now: Frames, dates: set[pd.Timestamp], catalog: Catalog, profile: Profile
) -> bool:
    """Whether any published cell of these dates has changed; withheld cells are not compared."""
    for table in catalog.as_of_tables():
        if table.name in before.tables:
            cells = withheld(table, catalog, profile)
            then, staged = (passed_on(frames[table.name], cells) for frames in (before.tables, now))
            if Compared.of(table, then, staged, dates).differs.any():
                return True
    return False


def _explained(
    con: duckdb.DuckDBPyConnection,
    facts: RunFacts,
    catalog: Catalog,
    before: Before,
    now: Frames,
    stored: Frames,
    dates: set[pd.Timestamp],
) -> pd.DataFrame:
    """Every changed cell with the captures it comes from, in the columns of `row_corrections` but the release's."""
    captures = load_captures(con, list(catalog.series))
    grid = run_grid(facts.run_date, catalog)
    then = panel_at(captures, before.captured_until, facts.run_date, catalog, facts.profile)
    groups = captures_since(con, before.captured_until, max(dates).date(), captures.codes)

    def without(group: CaptureGroup, captured: Captures) -> Frames:
        made = Computation(resolve(group.left_out_of(captured)), grid, catalog, facts.profile)
        return record_of(made.panel, stored)

    return corrections(
        record_of(then.panel, stored),
        now,
        [(group.cause, partial(without, group, captures)) for group in groups],
        catalog.as_of_tables(),
        dates,
        {table.name: withheld(table, catalog, facts.profile).keys() for table in catalog.as_of_tables()},
    )
