"""Whoever has a file open, however: publication goes on, commands read, and every reader sees one whole release.

Readers are processes of their own, as analysts are. Run as root the read-only bit protects nothing, so the reader who
opens the file for writing by mistake succeeds; otherwise the test takes the bit away for him.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.folder import damaged, releases
from assets.publish.ledger import record_publication
from assets.publish.publication import prepare, publish
from assets.warehouse.connection import CONFIG
from assets.warehouse.published_file import published_release, released
from assets.warehouse.schema import open_warehouse
from pipelines import __main__ as command_line
from tests.integration.conftest import STARTED_AT, Night
from tests.integration.live_runs import file_only
from tests.integration.sample_night import SAMPLE_END, night_facts, stage

# Keeps the file open until its input ends, for reading or, by mistake, for writing; says what it sees at every line.
READER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
def say():
    rows = con.execute("SELECT release_id, (SELECT count(*) FROM all_as_of(DATE '2020-03-31')), "
                       "(SELECT count(*) FROM series_as_of('UNRATE', DATE '2020-03-31')) FROM release_manifest")
    print(*rows.fetchall()[0], flush=True)
if sys.argv[2] == "write":
    con.execute("CREATE TABLE scribble AS SELECT range AS n FROM range(1000)")
say()
for line in sys.stdin:
    if line == "spoil\\n":
        con.execute("CHECKPOINT")
    if sys.argv[2] == "write":
        con.execute("INSERT INTO scribble VALUES (1)")
    say()
"""
# Opens, reads and closes again and again until its input ends; then how often, and what it saw.
LOOKER = """
import duckdb, select, sys
seen, opened = [], 0
while not select.select([sys.stdin], [], [], 0)[0] or opened < 5:
    con = duckdb.connect(sys.argv[1], read_only=True)
    rows = con.execute("SELECT release_id, (SELECT count(*) FROM regime) FROM release_manifest").fetchall()
    con.close()
    opened += 1
    if opened == 1:
        print("reading", flush=True)
    if not seen or seen[-1] != rows[0]:
        seen.append(rows[0])
print(opened, *(release for release, months in seen if months > 300))
"""
HOLD = """
import duckdb, sys
opened = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print(1, flush=True)
sys.stdin.read()
"""
Process = subprocess.Popen[str]


@contextmanager
def elsewhere(program: str, path: Path, mode: str = "read") -> Iterator[tuple[Process, list[str]]]:
    """Another process at work on a file, and its first line; at the end of the block its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path), mode], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield process, line_of(process)
            if process.poll() is None and process.stdin is not None:
                process.stdin.close()
                assert process.wait(60) == 0
        finally:
            process.kill()


def line_of(process: Process, said: str = "") -> list[str]:
    """What a process says next, asked with a line."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    if said:
        process.stdin.write(f"{said}\n")
        process.stdin.flush()
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return line.split()


@pytest.fixture
def first(published_night: Night) -> Night:
    """A published release, which may be opened for writing."""
    published_night.published.chmod(0o644)
    return published_night


def publish_next(night: Night, days: int = 1) -> str:
    """The next night's release, published; its id."""
    started = STARTED_AT + dt.timedelta(days=days)
    with open_warehouse(night.warehouse) as con:
        stage(con, night_facts(night.warehouse.parent, SAMPLE_END, started, f"night-{days}"), night.staged)
    staged = night.staged.stat().st_ino
    done = publish(night.staged, night.published, gate=lambda _: None, fill=file_only)
    assert night.published.stat().st_ino == staged, "not renamed: there was a moment without a whole file"
    return done.release_id


def release_of(path: Path) -> str:
    """What a new reader finds."""
    with duckdb.connect(str(path), read_only=True, config=CONFIG) as con:
        return str(con.execute("SELECT release_id FROM release_manifest").fetchall()[0][0])


def is_whole(night: Night, count: int) -> bool:
    """All releases are as they list themselves, and the published file is the newest one's."""
    folders = releases(night.published)
    newest = folders[-1] / night.published.name
    return (
        len(folders) == count
        and all(damaged(folder) == [] for folder in folders)
        and newest.read_bytes() == night.published.read_bytes()
    )


@pytest.mark.slow
def test_open_readers_keep_their_release_and_who_comes_at_any_moment_reads_a_whole_one(first: Night) -> None:
    before = release_of(first.published)
    with (
        elsewhere(READER, first.published) as (early, seen),
        elsewhere(LOOKER, first.published) as (looker, _),
    ):
        after = publish_next(first)
        opened, *releases_seen = looker.communicate("\n", timeout=60)[0].split()
        assert looker.returncode == 0 and int(opened) > 10
        assert releases_seen[0] == before and set(releases_seen) <= {before, after}
        assert release_of(first.published) == after != before
        assert line_of(early, "again") == seen
    assert seen[0] == before and int(seen[1]) > 5000 and int(seen[2]) > 400
    assert is_whole(first, 2)


@pytest.mark.slow
def test_who_opens_it_for_writing_by_mistake_blocks_nobody_and_spoils_no_release(first: Night) -> None:
    """The log a writer puts beside a release that is not his goes with the next publication."""
    before, wal = release_of(first.published), first.published.with_name(f"{first.published.name}.wal")
    with elsewhere(READER, first.published, "write") as (scribbler, _):
        assert wal.exists()
        after = publish_next(first)
        assert not wal.exists() and release_of(first.published) == after
        assert line_of(scribbler, "again")[0] == before
        assert release_of(first.published) == after
        line_of(scribbler, "spoil")
        assert wal.exists()
        with pytest.raises(duckdb.Error):
            release_of(first.published)
        last = publish_next(first, days=2)
        assert not wal.exists() and release_of(first.published) == last
    assert release_of(first.published) == last
    assert is_whole(first, 3)


@pytest.fixture
def place(installed_night: Night) -> Night:
    """A data directory whose published file is the night's, and may be opened for writing."""
    installed_night.published.chmod(0o644)
    return installed_night


def test_a_published_file_open_for_writing_elsewhere_is_read_and_booked(
    place: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = place.facts
    with elsewhere(HOLD, place.published, "write"):
        prepare(place.published, facts.profile, facts.run_date)
        there = published_release(place.published)
        assert there is not None and there.profile == "sample"
        with released(place.published) as con:
            assert con is not None
        with open_warehouse(place.warehouse) as con:
            booked = record_publication(con, place.published, facts.profile, load_catalog())
        assert (booked.publications, booked.month_ends > 400) == (1, True)
        for command in (["show"], ["explain"], ["as-of", "2025-11-05", "UNRATE"]):
            assert command_line.main(command) == 0
        capsys.readouterr()
        command_line.main(["doctor"])
        line = next(line for line in capsys.readouterr().out.splitlines() if "published file" in line)
        assert line.startswith("OK")


def test_a_warehouse_open_elsewhere_is_waited_for_or_ends_a_command_with_2_and_the_program_is_named(
    place: Night, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with elsewhere(HOLD, place.warehouse) as (other, _):
        for command in (["run"], ["backup", str(tmp_path_factory.mktemp("disk")), "--wait", "0"]):
            assert command_line.main(command) == 2
            last = capsys.readouterr().err.splitlines()[-1]
            assert last.startswith("error: ") and f"(pid {other.pid}); close it there" in last
        assert other.stdin is not None
        threading.Timer(1.5, other.stdin.close).start()  # the end of its input ends it
        with open_warehouse(place.warehouse, wait_seconds=60, log=said.append) as con:
            assert con.execute("SELECT 1").fetchall() == [(1,)]
    assert len(said) == 1 and "waiting up to" in said[0] and f"pid {other.pid}" in said[0]
