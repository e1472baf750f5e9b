"""Whole nights of the live profile from five publishers on this machine, each by its own clock, in one data directory.

Belongs here: playing such a night, from the first request to the published file. Does not belong here: what the
publishers serve (`tests/fakes/whole.py`), what must come of a night.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from assets.compute.corrections import Compared
from assets.publish.gate import blocking_rules
from assets.publish.publication import publish, staged_path
from assets.publish.record import record_publication
from assets.raw.ingest import ingest
from assets.run_facts import RunFacts
from assets.sources.protocol import Source
from assets.warehouse.connection import CONFIG, open_warehouse
from assets.warehouse.readers import frame_of
from tests.fakes.clients import CALM, quick_source
from tests.fakes.publishers import PUBLISHERS
from tests.fakes.reading import IMPATIENT
from tests.fakes.whole import Publishers
from tests.integration.live_nights import EVENING, Nights, file_only
from tests.integration.sample_night import compute_all, night_facts, stage


@dataclass
class ServedNights(Nights):
    """A data directory; `held` is what the gate found in the last night."""

    def night(self, publishers: Publishers, run_date: dt.date) -> RunFacts:
        """Fetch from every publisher, compute, stage, judge, and publish unless the gate holds it."""
        self.number += 1
        started = dt.datetime.combine(run_date + dt.timedelta(days=1), EVENING)
        facts = night_facts(self.place, run_date, started, f"night-{self.number}", "live")
        self.published.parent.mkdir(parents=True, exist_ok=True)
        publishers.show(run_date)
        staged, catalog = staged_path(self.published), load_catalog()
        with open_warehouse(self.warehouse) as con:
            for key in ("fred", *publishers.others):
                source = _source(publishers, key, started)
                ingest(con, catalog.by_source(key), source, run_date, facts, catalog)
            compute_all(con, facts)
            stage(con, facts, staged)
            with duckdb.connect(str(staged), read_only=True, config=CONFIG) as file:
                self.held = tuple(blocking_rules(file, con, facts))
            if not self.held:
                publish(staged, self.published, gate=lambda _: None, fill=file_only)
                record_publication(con, self.published, "live", catalog)
        return facts


def _source(publishers: Publishers, key: SourceKey, now: dt.datetime) -> Source:
    if key == "fred":
        return quick_source(publishers.fred, now=lambda: now, attempts=1)
    source = PUBLISHERS[key].make(publishers.address(key), IMPATIENT, CALM)
    source._now = lambda: now  # the week is counted on the nights' own clock
    return source


def differing(before: Path, after: Path, days: set[pd.Timestamp]) -> list[str]:
    """Tables of two published files that differ in a cell of these as-of dates."""
    catalog, was, now = load_catalog(), _tables(before), _tables(after)
    return [
        table.name
        for table in catalog.as_of_tables()
        if Compared.of(table, was[table.name], now[table.name], days).differs.any()
    ]


def _tables(published: Path) -> dict[str, pd.DataFrame]:
    with duckdb.connect(str(published), read_only=True, config=CONFIG) as con:
        found = {}
        for table in load_catalog().as_of_tables():
            con.execute(f"SELECT * FROM {table.name}")
            found[table.name] = frame_of(con)
        return found
