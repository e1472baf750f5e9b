"""Fixtures of the fault tests."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from assets.sources import fred_client
from tests.builders import an_archive
from tests.faults.fred_case import Case, three_series
from tests.loopback import fred_server as fred_server_module
from tests.loopback.clients import Naps
from tests.loopback.fred_server import fred_server
from tests.loopback.world import World


@pytest.fixture(scope="session")
def _three() -> World:
    return three_series()


@pytest.fixture
def case(_three: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setattr(fred_server_module, "MOST_VINTAGES", 200)
    monkeypatch.setattr(fred_client, "VINTAGES_PER_ANSWER", 190)
    with fred_server(copy.deepcopy(_three)) as server, an_archive() as con:
        yield Case(server, con, Naps())
