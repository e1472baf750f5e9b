"""A file that another program has open keeps no run from publishing and no command from reading."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.catalog.loader import load_catalog
from assets.publish.publication import prepare
from assets.publish.record import record_publication
from assets.warehouse.connection import OpenElsewhere, wait_for_others
from assets.warehouse.published_file import published_release, released
from assets.warehouse.schema import open_warehouse
from pipelines import __main__ as command_line
from tests.integration.conftest import Night

_HOLD = """import duckdb, sys
opened = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "r")
print(1, flush=True)
sys.stdin.read()"""


@contextmanager
def opened_elsewhere(path: Path, mode: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the file open: `r` to read, `w` to write."""
    command = [sys.executable, "-c", _HOLD, str(path), mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"1\n"
        try:
            yield process
        finally:
            if not process.stdin.closed:
                process.communicate()


@pytest.fixture
def place(installed_night: Night) -> Night:
    """A data directory whose published file is the night's, and may be opened for writing."""
    installed_night.published.chmod(0o644)
    return installed_night


def test_a_published_file_open_for_writing_elsewhere_is_read_and_booked(
    place: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = place.facts
    with opened_elsewhere(place.published, "w"):
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


def test_a_warehouse_open_elsewhere_is_waited_for_and_the_program_named(place: Night) -> None:
    said: list[str] = []
    with opened_elsewhere(place.warehouse, "r") as other:
        with pytest.raises(OpenElsewhere, match=rf"opened by python.* \(pid {other.pid}\)"):
            wait_for_others(place.warehouse, 0.0, said.append)
        assert said == []
        assert other.stdin is not None
        leaves = threading.Timer(1.5, other.stdin.close)  # the end of its input ends it
        leaves.start()
        with open_warehouse(place.warehouse, wait_seconds=60, log=said.append) as con:
            assert con.execute("SELECT 1").fetchall() == [(1,)]
    assert len(said) == 1 and "waiting up to" in said[0] and f"pid {other.pid}" in said[0]


def test_without_wait_a_warehouse_open_elsewhere_ends_a_command_with_2_and_one_line(
    place: Night, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with opened_elsewhere(place.warehouse, "r") as other:
        for command in (["run"], ["backup", str(elsewhere), "--wait", "0"]):
            assert command_line.main(command) == 2
            last = capsys.readouterr().err.splitlines()[-1]
            assert last.startswith("error: ") and f"pid {other.pid}" in last and "close it there" in last
