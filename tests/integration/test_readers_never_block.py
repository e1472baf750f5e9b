"""Whoever has the published file open, however: publication goes on, and every reader sees one whole release.

Readers are processes of their own, as analysts are. Run as root the read-only bit protects nothing, so the reader who
opens the file for writing by mistake succeeds; otherwise the test takes the bit away for him.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from assets.publish.folder import damaged, releases
from assets.publish.publication import publish
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import STARTED_AT, Night
from tests.integration.live_runs import file_only
from tests.integration.sample_night import SAMPLE_END, night_facts, stage

pytestmark = pytest.mark.slow

READER = """
import duckdb, sys
path, mode = sys.argv[1:3]
con = duckdb.connect(path, read_only=mode == "read")  # write, spoil: for writing, by mistake
def say():
    rows = con.execute("SELECT release_id, (SELECT count(*) FROM all_as_of(DATE '2020-03-31')), "
                       "(SELECT count(*) FROM series_as_of('UNRATE', DATE '2020-03-31')) FROM release_manifest")
    print(*rows.fetchall()[0], flush=True)
if mode != "read":
    con.execute("CREATE TABLE scribble AS SELECT range AS n FROM range(1000)")
say()
for line in sys.stdin:
    if mode == "spoil":
        con.execute("CHECKPOINT")
    if mode != "read":
        con.execute("INSERT INTO scribble VALUES (1)")
    say()
con.close()
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


class Reader:
    """An analyst's process that holds the file open."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.first = self._line()

    def again(self) -> list[str]:
        """What the open connection says now: release, figures of all series and of one."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> list[str]:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return line.split()


@contextmanager
def reading(path: Path, mode: str = "read") -> Iterator[Reader]:
    """A reader of the file in a mode."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path), mode], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            reader = Reader(process)
            yield reader
            if process.poll() is None:  # not killed by the test
                _, complaints = process.communicate(timeout=60)
                assert process.returncode == 0, complaints
        finally:
            process.kill()


@pytest.fixture
def first(published_night: Night) -> Night:
    """A published release."""
    return published_night


def publish_next(night: Night, days: int = 1) -> str:
    """The next night's release, published; its id."""
    facts = night_facts(
        night.warehouse.parent, SAMPLE_END, STARTED_AT + dt.timedelta(days=days), f"night-{days}"
    )
    with open_warehouse(night.warehouse) as con:
        stage(con, facts, night.staged)
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


def test_open_readers_keep_their_release_and_the_next_one_reads_the_new(first: Night) -> None:
    before = release_of(first.published)
    with reading(first.published) as early, reading(first.published) as another:
        after = publish_next(first)
        assert release_of(first.published) == after != before
        assert early.again() == early.first == another.again()
        assert early.first[0] == before and int(early.first[1]) > 5000 and int(early.first[2]) > 400
        with reading(first.published) as late:
            assert late.first[0] == after and early.again()[0] == before
    assert is_whole(first, 2)


def test_reader_who_comes_at_any_moment_of_a_publication_reads_a_whole_release(first: Night) -> None:
    before = release_of(first.published)
    with subprocess.Popen(
        [sys.executable, "-c", LOOKER, str(first.published)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as looker:  # fmt: skip
        assert looker.stdout is not None
        assert looker.stdout.readline() == "reading\n"
        after = publish_next(first)
        seen, complaints = looker.communicate("\n", timeout=60)
    assert looker.returncode == 0, complaints
    opened, *releases_seen = seen.split()
    assert int(opened) > 10
    assert releases_seen[0] == before and set(releases_seen) <= {before, after}


def test_who_opens_it_for_writing_by_mistake_blocks_nobody_and_spoils_no_release(first: Night) -> None:
    before = release_of(first.published)
    if os.geteuid() != 0:
        first.published.chmod(0o644)
    wal = first.published.with_name(first.published.name + ".wal")
    with reading(first.published, "write") as scribbler:
        assert wal.exists()
        after = publish_next(first)
        assert not wal.exists()
        assert release_of(first.published) == after
        assert scribbler.again()[0] == before
        assert release_of(first.published) == after
        with reading(first.published) as late:
            assert late.first[0] == after
    assert release_of(first.published) == after
    assert not wal.exists()
    assert is_whole(first, 2)


def test_log_a_writer_puts_beside_a_release_that_is_not_his_goes_with_the_next_publication(
    first: Night,
) -> None:
    if os.geteuid() != 0:
        first.published.chmod(0o644)
    wal = first.published.with_name(first.published.name + ".wal")
    with reading(first.published, "spoil") as scribbler:
        publish_next(first)
        scribbler.again()
        assert wal.exists()
        with pytest.raises(duckdb.Error):
            release_of(first.published)
        after = publish_next(first, days=2)
        assert not wal.exists() and release_of(first.published) == after
    assert release_of(first.published) == after
    assert is_whole(first, 3)
