"""`verify` and `rollback`: files, environment and numbers are told apart; an earlier release comes back whole."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish import manifest
from assets.publish.documents.fill import fill_release
from assets.publish.folder import SUMS, releases
from assets.publish.ledger import record_publication
from assets.publish.publication import publish
from assets.warehouse.connection import LockHeld
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from pipelines import __main__ as command_line
from pipelines.verify import verify
from tests.integration.conftest import Night, copied, night_in
from tests.integration.sample_night import ROOT
from tests.nightly_run import made_once

SECOND = "20261002T010005.000000Z"


@pytest.fixture(scope="module")
def _made_nights(_published_night: Night, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Two releases of one warehouse, the second one published; its label was changed on the way."""

    def make(place: Path) -> None:
        night = copied(_published_night, place)
        with open_warehouse(night.warehouse) as con:
            record_publication(con, night.published, "sample", load_catalog())
        night.stage_again()
        with night.open_staged() as con:
            con.execute("UPDATE release_manifest SET release_id = ?", [SECOND])
            con.execute("UPDATE regime SET regime = 'neither' WHERE as_of_date = DATE '2026-09-30'")
        publish(night.staged, night.published, gate=lambda _: None, fill=fill_release)

    return night_in(made_once(tmp_path_factory, "two_releases", make))


@pytest.fixture
def nights(_made_nights: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A copy of the two releases for one test."""
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    return copied(_made_nights, tmp_path)


def first(night: Night) -> Path:
    return releases(night.published)[0]


def test_an_earlier_release_is_reproduced_from_a_warehouse_that_has_grown_and_in_another_environment(
    nights: Night, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_warehouse(nights.warehouse) as con:  # captured after it: a revision of every UNRATE figure
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, realtime_start, value + 5, 'captured', "
            "captured_at + INTERVAL 40 DAY, fetch_id FROM raw.vintages WHERE series_id = 'UNRATE'"
        )
    here = manifest.packages()
    monkeypatch.setattr("assets.publish.manifest.packages", lambda: here | {"numpy": "9.9.9"})
    assert command_line.main(["verify", first(nights).name]) == 0
    output = capsys.readouterr().out
    assert "all 501 rows of its regime table come out the same" in output
    assert f"drift     package numpy: {here['numpy']} -> 9.9.9" in output


def test_a_changed_file_and_a_number_the_warehouse_does_not_give_are_named(
    nights: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = releases(nights.published)[1] / "csv" / "regime.csv"
    csv.chmod(0o644)
    csv.write_text("0", encoding="utf-8")
    assert command_line.main(["verify"]) == 1  # the published one, whose label is made up
    output = capsys.readouterr().out
    assert "file      csv/regime.csv is not as it was published" in output
    assert "number    regime 2026-09-30 regime: published neither, computed again" in output
    assert (output.count("file  "), output.count("number  ")) == (1, 1)


OF_OTHER_TABLES = {
    "regime_evidence": "as_of_date = '1990-03-31' AND component = 'unemployment'",
    "real_yields": "as_of_date = '1990-03-31'",
    "forward_returns": "horizon_months = 12 AND regime = 'stimulus_into_bubble'",
}


def test_numbers_of_tables_beside_the_regime_are_named(nights: Night) -> None:
    """Evidence, derived tables, and what is drawn by chance from a recorded seed."""
    release = first(nights)
    (release / "regime.duckdb").chmod(0o644)
    beginnings = set()
    with duckdb.connect(str(release / "regime.duckdb")) as con:
        seeds = json.loads(con.execute("SELECT seeds FROM release_manifest").fetchall()[0][0])
        for table, key in OF_OTHER_TABLES.items():
            columns = load_catalog().tables[table].columns
            column = next(c.name for c in columns if c.type == "DOUBLE" and c.name != "weight")
            con.execute(f"UPDATE {table} SET {column} = coalesce({column}, 0) + 1e-9 WHERE {key}")
            beginnings.add((table, column))
    assert seeds.keys() == {"audit_dates", "bootstrap", "score_range"}
    assert seeds["audit_dates"] == release.name
    with open_warehouse(nights.warehouse) as con:
        numbers = verify(release, con, ROOT).numbers
    assert {(line.split()[0], line.split(":")[0].split()[-1]) for line in numbers} == beginnings


def test_rollback_puts_the_release_before_back_with_everything_beside_it(nights: Night) -> None:
    assert command_line.main(["rollback"]) == 0
    place, release = nights.published.parent, first(nights)
    for name in (nights.published.name, SUMS, "csv/regime.csv", "README.txt"):
        assert (place / name).read_bytes() == (release / name).read_bytes(), name
        assert not (place / name).samefile(release / name), "who writes into the one would damage the other"
    assert [folder.name for folder in releases(nights.published)] == [release.name, SECOND]
    assert command_line.main(["rollback", SECOND]) == 0  # and forth
    with duckdb.connect(str(nights.published), read_only=True) as con:
        assert con.execute("SELECT release_id FROM release_manifest").fetchall() == [(SECOND,)]


def test_what_cannot_be_verified_or_put_back_is_one_line_and_changes_nothing(
    nights: Night, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: str) -> str:
        assert command_line.main(list(arguments)) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    def held(self: RunLock, *_: object) -> None:
        raise LockHeld("another run holds the lock")

    before, file = nights.published.read_bytes(), first(nights) / "regime.duckdb"
    assert "1999" in refused("verify", "1999")
    assert "several releases begin like this" in refused("rollback", "2026")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1])
    assert command_line.main(["verify", first(nights).name]) == 1
    assert capsys.readouterr().out.startswith("file      regime.duckdb is not as it was published")
    assert "is damaged (regime.duckdb): choose another release" in refused("rollback")
    monkeypatch.setattr(RunLock, "acquire", held)
    assert "another run holds the lock" in refused("rollback")
    assert nights.published.read_bytes() == before
