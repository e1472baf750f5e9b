"""A release as files: everything exported, hashed, described; unchanged files stored once; nothing restricted."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.documents.fill import DOCUMENTS, fill_release
from assets.publish.folder import damaged, prune, releases
from assets.publish.publication import publish
from assets.publish.staged_file import published_tables
from assets.warehouse.connection import CONFIG
from tests.integration.conftest import Night


@pytest.fixture(scope="module")
def folder(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release, only to be read."""
    place = tmp_path_factory.mktemp("release")
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        fill_release(con, made_release, place, None)
    return place


@pytest.fixture
def release(published_night: Night) -> Path:
    """The folder of the first release."""
    return releases(published_night.published)[0]


def next_night(night: Night, release_id: str) -> Path:
    """One more publication of the same figures, a day later."""
    night.stage_again()
    with night.open_staged() as con:
        con.execute(
            "UPDATE release_manifest SET release_id = ?, published_at = published_at + INTERVAL 1 DAY",
            [release_id],
        )
    publish(night.staged, night.published, gate=lambda _: None, fill=fill_release)
    return releases(night.published)[-1]


def test_every_public_table_is_there_as_parquet_and_csv_with_its_rows(folder: Path) -> None:
    with duckdb.connect(str(folder / "regime.duckdb"), read_only=True) as con:
        for table in published_tables(load_catalog()):
            rows = con.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()
            assert (
                con.execute(f"SELECT count(*) FROM '{folder}/parquet/{table.name}.parquet'").fetchall()
                == rows
            )
            csv = folder / "csv" / f"{table.name}.csv"
            assert csv.exists() == (table.name != "observations")
            if csv.exists():
                read = "SELECT count(*) FROM read_csv(?, header = true, all_varchar = true)"
                assert con.execute(read, [str(csv)]).fetchall() == rows


def test_a_release_is_removed_by_what_its_descriptor_states_and_left_alone_without_one(
    release: Path, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.publish.folder.NIGHTS", 1)
    whole = json.loads((release / "datapackage.json").read_text(encoding="utf-8"))
    later = {
        "21000101T010000.000000Z": json.dumps(whole | {"regime:new_month_ends": 0}),
        "21000102T010000.000000Z": json.dumps(whole | {"regime:new_month_ends": 1}),
        "21000103T010000.000000Z": '{"name": "stimulus-regime", "regime:profile": "sam',
        "21000104T010000.000000Z": json.dumps(whole | {"regime:new_month_ends": 0}),
    }
    for name, descriptor in later.items():
        folder = release.with_name(name)
        folder.mkdir()
        (folder / "datapackage.json").write_text(descriptor, encoding="utf-8")
    gone, *kept = later
    assert prune(night.published, kept[-1]) == [gone]
    assert [folder.name for folder in releases(night.published)] == [release.name, *kept]


def test_the_files_beside_the_published_one_are_those_of_its_release_and_not_links(
    release: Path, night: Night
) -> None:
    assert damaged(release) == []
    for name in [*DOCUMENTS, "SHA256SUMS", "regime.duckdb", "parquet/regime.parquet", "csv/regime.csv"]:
        beside = night.published.parent / name
        assert beside.read_bytes() == (release / name).read_bytes(), name
        assert beside.stat().st_ino != (release / name).stat().st_ino
        assert beside.stat().st_mode & 0o222 == 0


def test_what_did_not_change_is_stored_once(release: Path, night: Night) -> None:
    second = next_night(night, "20260602T010005.000000Z")
    same = ("parquet/observations.parquet", "csv/regime.csv", "LICENSES.md")
    assert all((release / name).stat().st_ino == (second / name).stat().st_ino for name in same)
    assert damaged(release) == damaged(second) == []
    assert "unchanged: " in (second / "RELEASE_NOTES.md").read_text(encoding="utf-8")


def test_notes_count_new_and_revised_figures(release: Path, night: Night) -> None:
    night.stage_again()
    with night.open_staged() as con:
        con.execute("UPDATE release_manifest SET release_id = '20260602T010005.000000Z'")
        con.execute(
            "INSERT INTO observations SELECT * REPLACE (DATE '2026-05-30' AS realtime_start) FROM observations "
            "WHERE series_id = 'UNRATE' AND observation_date = '2026-03-01' LIMIT 1"
        )
        con.execute("UPDATE regime SET regime = 'neither' WHERE as_of_date IN ('2026-05-31', '2001-01-31')")
    publish(night.staged, night.published, gate=lambda _: None, fill=fill_release)
    said = (night.published.parent / "RELEASE_NOTES.md").read_text(encoding="utf-8")
    assert "- UNRATE: 0 new, 1 revised" in said
    assert "stimulus_into_bubble -> neither; previous release as of" in said
    assert "- 2001-01-31: stimulus_into_bubble -> neither" in said


def test_notes_of_a_release_that_is_not_complete_say_why_nothing_is_frozen(night: Night) -> None:
    said = "not complete, nothing was ever fetched of NFCI"
    publish(night.staged, night.published, gate=lambda _: None, fill=partial(fill_release, incomplete=said))
    notes = (night.published.parent / "RELEASE_NOTES.md").read_text(encoding="utf-8")
    assert f"This release is {said}.\n" in notes


def test_a_changed_missing_or_added_file_is_found(release: Path) -> None:
    readme = release / "README.txt"
    readme.chmod(0o644)
    readme.write_text("other", encoding="utf-8")
    (release / "csv" / "regime.csv").unlink()
    (release / "more.txt").touch()
    assert damaged(release) == ["README.txt", "csv/regime.csv", "more.txt"]


def test_the_descriptor_is_valid_and_true_of_the_tables(folder: Path) -> None:
    from frictionless import Package, Resource

    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    report = Package.validate_descriptor(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["message"])[:5]
    for resource in descriptor["resources"]:
        assert (folder / resource["path"]).stat().st_size == resource["bytes"]
    for name in ("series.csv", "qe-phases.csv", "release-manifest.csv", "regime", "observations"):
        found = next(r for r in descriptor["resources"] if r["name"] == name)
        found["schema"].pop("foreignKeys", None)
        judged = Resource.from_descriptor(found, basepath=str(folder)).validate()
        assert judged.valid, (name, judged.flatten(["rowNumber", "fieldName", "message"])[:5])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_frictionless_finds_nothing_wrong_in_the_whole_release(folder: Path) -> None:
    """Types, limits, keys and references of every CSV row; bytes and hash of every file."""
    program = Path(sys.executable).with_name("frictionless")
    command = [str(program), "validate", "datapackage.json", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500)
    said = json.loads(done.stdout)
    wrong = [(task["name"], task["errors"][:2]) for task in said["tasks"] if not task["valid"]]
    assert said["valid"] and done.returncode == 0 and len(said["tasks"]) > 70, wrong


def test_every_column_says_its_rights_and_whom_to_cite(folder: Path) -> None:
    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    cited = {source["regime:series_id"]: source["title"] for source in descriptor["sources"]}
    fields = {
        (resource["name"], field["name"]): field
        for resource in descriptor["resources"]
        if resource["format"] == "parquet"
        for field in resource["schema"]["fields"]
    }
    assert all(field["unit"] and field["description"] for field in fields.values())
    label = fields["regime", "regime"]
    assert "restricted" in label["regime:rights"]
    assert len(label["regime:cite"]) > 10
    assert all(len(cited[series_id]) > 20 for field in fields.values() for series_id in field["regime:cite"])
