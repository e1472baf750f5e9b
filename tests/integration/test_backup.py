"""Backup and restore, by doing it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import duckdb
import pytest

from assets.warehouse.connection import LockHeld
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from pipelines import __main__ as command_line
from pipelines.commands.operate import LIST, back_up, put_in_place, verify_backup
from pipelines.settings import ConfigurationError, Folders
from tests.builders import a_payload, a_series, merge_payload

WAREHOUSE = "sample.warehouse.duckdb"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """A data directory with a warehouse of one figure, and a release of which two names are one file."""
    data_dir = tmp_path / "data"
    with open_warehouse(data_dir / WAREHOUSE) as con:
        merge_payload(con, a_series(), a_payload([("2026-03-01", 4.2)]))
    release = data_dir / "published" / "releases" / "20260601T010000Z" / "regime.duckdb"
    release.parent.mkdir(parents=True)
    release.write_bytes(b"a release")
    (data_dir / "published" / "regime.duckdb").hardlink_to(release)
    monkeypatch.setenv("REGIME_DATA_DIR", str(data_dir))
    return Folders(tmp_path, data_dir, tmp_path / "home")


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def vintages(warehouse: Path) -> int:
    with duckdb.connect(str(warehouse)) as con:
        return int(con.execute("SELECT count(*) FROM raw.vintages").fetchall()[0][0])


def command(*arguments: str) -> int:
    return command_line.main(list(arguments))


def test_what_was_lost_is_back_after_a_restore_and_one_file_under_two_names_is_copied_once(
    folders: Folders, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse, published = folders.data_dir / WAREHOUSE, folders.data_dir / "published" / "regime.duckdb"
    assert command("backup", str(elsewhere)) == 0
    backup = capsys.readouterr().out.strip()
    copies = list(Path(backup).rglob("regime.duckdb"))
    assert len(copies) == 2 and copies[0].samefile(copies[1]) and not copies[0].samefile(published)
    with duckdb.connect(str(warehouse)) as con:
        con.execute("DELETE FROM raw.vintages")
    published.unlink()
    assert command("restore", backup) == 0
    assert vintages(warehouse) == 1
    assert published.read_bytes() == b"a release"
    aside = re.search(r"is in (\S+):", capsys.readouterr().out)
    assert aside and vintages(Path(aside[1]) / WAREHOUSE) == 0
    moments = [dt.datetime(2026, 6, 1, 1, microsecond=n, tzinfo=dt.UTC) for n in (0, 1)]  # of one second
    backups = [back_up(folders, elsewhere, print, moment) for moment in moments]
    assert len(set(backups)) == 2 and all(map(verify_backup, backups))
    assert len({put_in_place(folders, backups[0], print, moment) for moment in moments}) == 2


def test_rows_still_in_a_write_ahead_log_are_in_the_backup(folders: Folders, elsewhere: Path) -> None:
    warehouse = folders.data_dir / WAREHOUSE
    wal = warehouse.with_name(f"{WAREHOUSE}.wal")
    con = duckdb.connect(str(warehouse), config={"checkpoint_threshold": "1TB"})
    con.execute("CREATE TABLE late_row AS SELECT 1 AS one")
    kept, content = wal.read_bytes(), warehouse.read_bytes()
    con.close()
    warehouse.write_bytes(content)  # as a killed process leaves the two
    wal.write_bytes(kept)
    backup = back_up(folders, elsewhere, print)
    with duckdb.connect(str(backup / WAREHOUSE)) as con:
        assert con.execute("SELECT one FROM late_row").fetchall() == [(1,)]


def test_a_damaged_backup_a_bad_target_and_an_empty_directory_are_refused_and_change_nothing(
    folders: Folders, elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("backup", str(folders.data_dir / "inside")) == 2
    assert "is inside" in capsys.readouterr().err
    backup = back_up(folders, elsewhere, print)
    copy = backup / WAREHOUSE
    copy.write_bytes(copy.read_bytes()[:-1])
    before = sorted(folders.data_dir.rglob("*"))
    (tmp_path / "a_file").touch()
    (tmp_path / "empty").mkdir()
    for refused, message in (
        (lambda: put_in_place(folders, backup, print), "is damaged"),
        (lambda: back_up(folders, tmp_path / "a_file" / "x", print), "choose another folder"),
        (
            lambda: back_up(Folders(tmp_path, tmp_path / "empty", tmp_path), elsewhere, print),
            "nothing to back up",
        ),
        (lambda: verify_backup(elsewhere), LIST),
    ):
        with pytest.raises(ConfigurationError, match=message) as caught:
            refused()
        assert "\n" not in str(caught.value)
    assert sorted(folders.data_dir.rglob("*")) == before


def test_backup_and_restore_leave_while_a_run_works(
    folders: Folders, elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(self: RunLock, *_: object) -> None:
        raise LockHeld("another run holds the lock: python (pid 1)")

    monkeypatch.setattr(RunLock, "acquire", held)
    for arguments in (("backup", str(elsewhere), "--wait", "0"), ("restore", str(elsewhere))):
        assert command(*arguments) == 2
        assert capsys.readouterr().err == "error: another run holds the lock: python (pid 1)\n"
