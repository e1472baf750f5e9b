"""Published folders are open to readers under any umask; what somebody closed on purpose stays closed and is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.publish.folder import begin, seal
from assets.publish.publication import prepare
from assets.warehouse.connection import closed_to_readers
from assets.warehouse.lock import RunLock
from tests.integration.conftest import SAMPLE_END


@pytest.fixture(autouse=True)
def _narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folders_of_a_publication_are_readable_and_the_data_directory_is_passable(tmp_path: Path) -> None:
    published = tmp_path / "data" / "published" / "regime.duckdb"
    with RunLock(tmp_path / "data" / "run.lock").held():
        prepare(published, "sample", SAMPLE_END)
        folder = begin(published, "r")
        (folder / "csv").mkdir()
        (folder / "csv" / "regime.csv").write_text("a\n")
        seal(folder, None)
    assert mode(tmp_path / "data") == 0o711  # the warehouse in it cannot be listed
    assert {mode(path) for path in (published.parent, folder.parent, folder, folder / "csv")} == {0o755}
    assert mode(folder / "csv" / "regime.csv") == 0o444
    assert closed_to_readers(published) is None


@pytest.mark.parametrize("name", ["data", "data/published"])
def test_a_folder_closed_on_purpose_stays_closed_and_is_named(name: str, tmp_path: Path) -> None:
    published = tmp_path / "data" / "published" / "regime.duckdb"
    published.parent.mkdir(parents=True)
    for folder in (tmp_path / "data", published.parent):
        folder.chmod(0o700 if folder == tmp_path / name else 0o750)
    prepare(published, "sample", SAMPLE_END)
    assert mode(tmp_path / name) == 0o700
    assert f"`chmod a+x {tmp_path / name}`" in str(closed_to_readers(published))
