"""Runs of the live profile in one data directory, each by its own clock, on the sample and made-up share prices."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.publish.gate import blocking_rules
from assets.publish.ledger import record_publication
from assets.publish.publication import publish, staged_path
from assets.run_facts import RunFacts
from assets.warehouse.connection import CONFIG
from assets.warehouse.readers import LABEL_ROLES
from assets.warehouse.schema import open_warehouse
from tests.integration.restricted_night import plant
from tests.integration.sample_night import fill, night_facts, stage

Also = Callable[[duckdb.DuckDBPyConnection, dt.datetime], None]
EVENING = dt.time(1, 30, tzinfo=dt.UTC)  # half past nine in New York, of the day before


@dataclass
class LiveRuns:
    """A data directory of the live profile; `blocked_by` is what blocked the last run."""

    place: Path
    number: int = 0
    blocked_by: tuple[str, ...] = ()

    @property
    def warehouse(self) -> Path:
        return self.place / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.place / "published" / "regime.duckdb"

    def play(
        self,
        run_date: dt.date,
        *,
        without: Collection[str] = (),
        also: Also | None = None,
        publishes: bool = True,
        is_gated: bool = False,
    ) -> RunFacts:
        """One run: fetch, compute, stage, and publish unless the gate blocks it or `publishes` is false.

        The gate computes everything again: only a run that is about it pays for that.
        """
        self.number += 1
        started = dt.datetime.combine(run_date + dt.timedelta(days=1), EVENING)
        facts = night_facts(self.place, run_date, started, f"run-{self.number}", "live")
        self.published.parent.mkdir(exist_ok=True)

        def arrives(con: duckdb.DuckDBPyConnection) -> None:
            plant(con, started)
            _keep_what_is_new(con, started, run_date)
            _hold_the_rest(con, started, without)
            if also is not None:
                also(con, started)

        with open_warehouse(self.warehouse) as con:
            fill(con, facts, arrives, without)
            self.finish(con, facts, publishes, is_gated)
        return facts

    def finish(
        self, con: duckdb.DuckDBPyConnection, facts: RunFacts, publishes: bool = True, is_gated: bool = False
    ) -> None:
        """Stage, and publish unless the gate blocks it."""
        staged = staged_path(self.published)
        stage(con, facts, staged)
        self.blocked_by = ()
        if is_gated:
            with duckdb.connect(str(staged), read_only=True, config=CONFIG) as file:
                self.blocked_by = tuple(blocking_rules(file, con, facts))
        if publishes and not self.blocked_by:
            publish(staged, self.published, gate=lambda _: None, fill=file_only)
            record_publication(con, self.published, "live", load_catalog())

    def query_warehouse(self, query: str) -> list[tuple]:
        """Rows of the warehouse."""
        with open_warehouse(self.warehouse) as con:
            return con.execute(query).fetchall()

    def shown(self, query: str) -> list[tuple]:
        """Rows of the published file."""
        with duckdb.connect(str(self.published), read_only=True, config=CONFIG) as con:
            return con.execute(query).fetchall()


def a_vintage(series_id: str, observation: str, start: str, change: float) -> Also:
    """A revision by `change`, public since `start`, that reaches us in this run."""

    def arrives(con: duckdb.DuckDBPyConnection, at: dt.datetime) -> None:
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, CAST(? AS DATE), value + ?, 'captured', "
            "?, 'late' FROM raw.vintages WHERE series_id = ? AND observation_date = CAST(? AS DATE) LIMIT 1",
            [start, change, at.replace(tzinfo=None), series_id, observation],
        )

    return arrives


def a_retraction(series_id: str, observation: str) -> Also:
    """The publisher no longer lists the vintage of an observation."""

    def arrives(con: duckdb.DuckDBPyConnection, at: dt.datetime) -> None:
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, realtime_start, NULL, 'retracted', ?, 'gone' "
            "FROM raw.vintages WHERE series_id = ? AND observation_date = CAST(? AS DATE)",
            [at.replace(tzinfo=None), series_id, observation],
        )

    return arrives


def in_turn(*arrivals: Also) -> Also:
    """Several arrivals in one run."""

    def arrives(con: duckdb.DuckDBPyConnection, at: dt.datetime) -> None:
        for one in arrivals:
            one(con, at)

    return arrives


def not_read(con: duckdb.DuckDBPyConnection, at: dt.datetime) -> None:
    """A figure of a series no table reads, public long ago."""
    con.execute(
        "INSERT INTO raw.vintages VALUES ('NOT_READ', DATE '2026-02-01', DATE '2026-03-01', 1.0, 'captured', ?, 'new')",
        [at.replace(tzinfo=None)],
    )


def _keep_what_is_new(con: duckdb.DuckDBPyConnection, at: dt.datetime, run_date: dt.date) -> None:
    """Keep only figures of this run that are public and not stored already."""
    con.execute(
        "DELETE FROM raw.vintages WHERE captured_at = $at AND (realtime_start > $run_date OR "
        "(series_id, observation_date, realtime_start) IN "
        "(SELECT (series_id, observation_date, realtime_start) FROM raw.vintages WHERE captured_at < $at))",
        {"at": at.replace(tzinfo=None), "run_date": run_date},
    )


def _hold_the_rest(con: duckdb.DuckDBPyConnection, at: dt.datetime, without: Collection[str]) -> None:
    """Series of the profile that the sample lacks, with one figure that was published as missing."""
    catalog = load_catalog()
    bundled = {series.series_id for series in catalog.in_profile("sample")}
    for series in catalog.in_profile("live"):
        if series.role in LABEL_ROLES and series.series_id not in {*bundled, *without}:
            con.execute(
                "INSERT INTO raw.vintages SELECT ?, DATE '1985-01-01', DATE '1985-03-01', NULL, 'captured', ?, 'rest' "
                "WHERE NOT EXISTS (FROM raw.vintages WHERE series_id = ?)",
                [series.series_id, at.replace(tzinfo=None), series.series_id],
            )


def file_only(con: duckdb.DuckDBPyConnection, staged: Path, folder: Path, before: Path | None) -> None:
    """A release folder with only the file."""
    shutil.copyfile(staged, folder / "regime.duckdb")
