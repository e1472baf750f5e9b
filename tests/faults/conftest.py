"""Fixtures of the fault tests."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.sources import fred_client
from assets.warehouse.schema import open_warehouse
from tests.fakes import fred_server as fred_server_module
from tests.fakes.fred_runs import Case, Naps, three_series
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import KEY, World


@pytest.fixture(scope="session")
def _three() -> World:
    return three_series()


@pytest.fixture
def case(
    _three: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Case]:
    """Whatever a test did to it, afterwards the key stands in no file, no book of the archive and no log."""
    monkeypatch.setattr(fred_server_module, "MOST_VINTAGES", 200)
    monkeypatch.setattr(fred_client, "VINTAGES_PER_RESPONSE", 190)
    caplog.set_level(logging.DEBUG)
    with fred_server(copy.deepcopy(_three)) as server, open_warehouse(tmp_path / "warehouse.duckdb") as con:
        case = Case(server, con, Naps())
        yield case
        assert KEY not in f"{case.fetches()} {caplog.text}"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
