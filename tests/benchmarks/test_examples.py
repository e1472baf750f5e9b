"""The queries of the examples page on a published file, cold and warm; and again with the vintages of a long life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import duckdb
import pandas as pd
import pytest

from assets.publish.documents.texts import Example, examples
from assets.warehouse.connection import CONFIG, open_warehouse
from tests.benchmarks.report import record
from tests.benchmarks.vintages import generate
from tests.integration.sample_night import SAMPLE_END, fill, night_facts, stage

LIMIT = 0.05  # seconds, warm
GROWN = 5_000_000
STARTED_AT = dt.datetime(2026, 6, 1, 1, tzinfo=dt.UTC)
_GROW = """
INSERT INTO observations BY NAME
SELECT n.series_id, CAST(v.observation AS DATE) AS observation_date, v.value, CAST(v.start AS DATE) AS realtime_start,
  coalesce(CAST(lead(v.start) OVER (PARTITION BY v.code, v.observation ORDER BY v.start) AS DATE) - 1,
    DATE '9999-12-31') AS realtime_end, 'alfred' AS vintage_source, TIMESTAMP '2026-01-01' AS captured_at
FROM vintages AS v JOIN names AS n USING (code)
ORDER BY ALL
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of a night on the sample."""
    place = tmp_path_factory.mktemp("examples")
    facts = night_facts(place, SAMPLE_END, STARTED_AT)
    facts.published_path.parent.mkdir()
    with open_warehouse(place / "sample.warehouse.duckdb") as con:
        fill(con, facts)
        stage(con, facts, facts.published_path)
    return facts.published_path


@pytest.fixture(scope="module")
def grown(release: Path) -> Path:
    """The same release, its observations replaced by as many vintages as decades bring."""
    path = release.with_name("grown.duckdb")
    path.write_bytes(release.read_bytes())
    vintages = generate(GROWN)
    with duckdb.connect(str(path), config=CONFIG) as con:
        known = [
            name for (name,) in con.execute("SELECT series_id FROM series ORDER BY series_id").fetchall()
        ]
        asked = [name for name in ("UNRATE", "GDPC1", *known) if name in known]
        names = list(dict.fromkeys(asked))[: vintages.series]
        names += [f"SERIES_{n}" for n in range(len(names), vintages.series)]
        con.register("vintages", vintages.frame())
        con.register("names", pd.DataFrame({"code": range(vintages.series), "series_id": names}))
        con.execute("DELETE FROM observations")
        con.execute(_GROW)
    return path


@pytest.fixture(autouse=True)
def _own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    days = pd.date_range("2006-01-01", periods=5000)
    pd.DataFrame({"date": days, "value": 1.0}).to_csv(tmp_path / "own.csv", index=False)
    monkeypatch.chdir(tmp_path)
    yield


def taken(con: duckdb.DuckDBPyConnection, example: Example) -> float:
    began = perf_counter()
    con.execute(example.sql).fetchall()
    return perf_counter() - began


def cold_and_warm(path: Path, example: Example) -> tuple[float, float]:
    """Seconds of opening the file and asking once, and of asking again: the best of many."""
    began = perf_counter()
    with duckdb.connect(str(path), read_only=True, config=CONFIG) as con:
        con.execute(example.sql).fetchall()
        cold = perf_counter() - began
        return cold, min(taken(con, example) for _ in range(15))


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_every_example_answers_while_one_types(release: Path, grown: Path) -> None:
    rows = []
    for example in examples():
        small, large = cold_and_warm(release, example), cold_and_warm(grown, example)
        rows.append((example.name, *(1000 * seconds for seconds in (*small, *large))))
    record(
        "Queries of the examples page",
        f"On the published sample, and on the same file with {GROWN / 1e6:.0f} million vintages. Cold: open the "
        "file and query once, with a warm system cache; warm: query again, best of 15.",
        ("query", "cold ms", "warm ms", f"cold ms, {GROWN / 1e6:.0f} M", f"warm ms, {GROWN / 1e6:.0f} M"),
        rows,
    )
    slow = {row[0]: row[1:] for row in rows if max(row[2], row[4]) >= 1000 * LIMIT}
    assert slow == {}
