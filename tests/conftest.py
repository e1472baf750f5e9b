"""Settings every test shares: nothing of the caller's environment, no network, a Dagster history apart.

Fixtures used by one group of tests only belong in that group's conftest.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.nightly_run import NightlyRun, made_once, make_nightly_run

PROJECT_ROOT = Path(__file__).resolve().parents[1]
OWN_VARIABLES = ("REGIME_", "FRED_", "FISCAL_DATA_URL", "FED_BOARD_URL", "SHILLER_URL", "WORLD_BANK_URL")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# Files of the slow group that take more than a minute begin first, the longest one before all: a file is never split
# between processes, and one that begins last would keep a single processor busy.
LONGEST = (
    "test_public_run.py", "test_hostile_machine.py", "test_live_run.py", "test_dead_runs.py", "test_healing.py",
    "test_gate.py", "test_signals.py", "test_two_hosts.py", "test_rights.py",
    "test_upgrade.py", "test_extending.py", "test_interrupted_load.py", "test_dagster.py", "test_what_if.py",
)  # fmt: skip

# The same examples on every run, and no deadline: the machine may be busy with something else.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the order within a file and among the others is kept."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


# Both guards last the whole session, so that they also hold for fixtures that run once for many tests.
@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Drop the project's variables, and keep warehouse and run history away from the caller's own."""
    state = tmp_path_factory.mktemp("state")
    (state / "dagster_home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OWN_VARIABLES):
                patch.delenv(name)
        patch.setenv("DAGSTER_HOME", str(state / "dagster_home"))
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
        patch.setenv("REGIME_DATA_DIR", str(state / "data"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine: a test that needs a publisher is a mistake."""
    connect = socket.socket.connect

    def connect_on_loopback(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address[0]}; tests use the loopback only")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_on_loopback)
        yield


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The directory that holds pyproject.toml."""
    return PROJECT_ROOT


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Real series that are never committed, next to the project; tests that need them are skipped without."""
    folder = PROJECT_ROOT.parent / "shared" / "realdata"
    if not folder.is_dir():
        pytest.skip("../shared/realdata is not here")
    return folder


@pytest.fixture(scope="session")
def nightly_run(tmp_path_factory: pytest.TempPathFactory) -> NightlyRun:
    """The nightly job run once by command on the sample; only to be read, or copied with `copied`."""
    return NightlyRun(made_once(tmp_path_factory, "nightly_run", make_nightly_run))
