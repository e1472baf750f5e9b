"""A release as files: every table exported, and described truly; its notes count what changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.documents.fill import fill_release
from assets.publish.documents.texts import document_facts, rendered
from assets.publish.folder import damaged, releases
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


def test_notes_count_new_and_revised_figures_and_what_did_not_change_is_stored_once(
    published_night: Night,
) -> None:
    night = published_night
    (first,) = releases(night.published)
    night.stage_again()
    with night.open_staged() as con:
        con.execute("UPDATE release_manifest SET release_id = '20261002T010005.000000Z'")
        con.execute(
            "INSERT INTO pit.observations SELECT * REPLACE (DATE '2026-09-29' AS realtime_start) FROM observations "
            "WHERE series_id = 'UNRATE' AND observation_date = '2026-07-01' LIMIT 1"
        )
        con.execute("UPDATE regime SET regime = 'neither' WHERE as_of_date IN ('2026-09-30', '1999-01-31')")
    incomplete = "not complete, nothing was ever fetched of NFCI"
    fill = partial(fill_release, incomplete=incomplete)
    publish(night.staged, night.published, gate=lambda _: None, fill=fill)
    notes = (night.published.parent / "RELEASE_NOTES.md").read_text(encoding="utf-8")
    assert "- UNRATE: 0 new, 1 revised" in notes
    assert "neutral_bubble -> neither; previous release as of" in notes
    assert "- 1999-01-31: stimulus_into_bubble -> neither" in notes
    assert f"This release is {incomplete}.\n" in notes
    second = releases(night.published)[-1]
    assert all((first / name).samefile(second / name) for name in ("csv/caveats.csv", "LICENSES.md"))
    assert damaged(first) == damaged(second) == []


@pytest.mark.parametrize(("profile", "is_first"), [("live", True), ("sample", False)])
def test_the_notes_compare_only_with_a_release_of_the_same_profile(
    made_release: Path, folder: Path, tmp_path: Path, profile: str, is_first: bool
) -> None:
    staged = tmp_path / "regime.duckdb"
    shutil.copyfile(made_release, staged)
    staged.chmod(0o644)
    with duckdb.connect(str(staged), config=CONFIG) as con:
        con.execute("UPDATE release_manifest SET profile = ?", [profile])
        text = rendered("RELEASE_NOTES.md", con, document_facts(con, tmp_path, (), folder))
    assert ("First release in this data directory" in text) == is_first
    assert ("previous release as of 2026-09-30" in text) != is_first


def test_the_descriptor_is_valid_and_true_of_the_sizes(folder: Path) -> None:
    from frictionless import Package

    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    report = Package.validate_descriptor(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["message"])[:5]
    for resource in descriptor["resources"]:
        assert (folder / resource["path"]).stat().st_size == resource["bytes"]


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
