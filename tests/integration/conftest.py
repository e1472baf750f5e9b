"""One night on the sample, made once a session: its warehouse and its staged release, to be copied by tests."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from assets.publish.documents.fill import fill_release
from assets.publish.publication import publish, staged_path
from assets.report.page import render_report
from assets.run_facts import RunFacts
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import open_warehouse
from tests.integration.sample_night import SAMPLE_END, fill, night_facts, stage
from tests.nightly_run import made_once
from tests.postgres_server import Server, running_server

STARTED_AT = dt.datetime(2026, 10, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Night:
    """A data directory in which a night's work is done, all but the publication."""

    facts: RunFacts
    warehouse: Path

    @property
    def published(self) -> Path:
        return self.facts.published_path

    @property
    def staged(self) -> Path:
        return staged_path(self.published)

    @contextmanager
    def open_staged(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The staged file, to be changed by a test."""
        with duckdb.connect(str(self.staged), config=CONFIG) as con:
            yield con

    def stage_again(self) -> None:
        """Another copy of the same release, after the first one was published."""
        shutil.copyfile(self.published, self.staged)
        self.staged.chmod(0o644)


def night_in(place: Path) -> Night:
    """The night whose work lies in a folder."""
    return Night(night_facts(place, SAMPLE_END, STARTED_AT), place / "sample.warehouse.duckdb")


def _make_night(place: Path) -> None:
    night = night_in(place)
    night.published.parent.mkdir()
    with open_warehouse(night.warehouse) as con:
        fill(con, night.facts)
        stage(con, night.facts, night.staged)


@pytest.fixture(scope="session")
def _made_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return night_in(made_once(tmp_path_factory, "night", _make_night))


@pytest.fixture(scope="session")
def made_release(_made_night: Night) -> Path:
    """The staged file of the night, only to be read."""
    return _made_night.staged


@pytest.fixture(scope="session")
def made_warehouse(_made_night: Night) -> Path:
    """The warehouse of the night, only to be read."""
    return _made_night.warehouse


@pytest.fixture(scope="session")
def release(made_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The staged file of the night, opened."""
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        yield con


@pytest.fixture(scope="session")
def report_html(release: duckdb.DuckDBPyConnection) -> str:
    """report.html of the night, drawn once: most of its time is drawing."""
    return render_report(release)


@pytest.fixture
def night(_made_night: Night, tmp_path: Path) -> Night:
    """A copy of the night's work for one test."""
    return copied(_made_night, tmp_path)


@pytest.fixture
def installed_night(night: Night, monkeypatch: pytest.MonkeyPatch) -> Night:
    """`night` with its release as the published file alone, where every command looks for it."""
    night.staged.replace(night.published)
    monkeypatch.setenv("REGIME_DATA_DIR", str(night.published.parents[1]))
    return night


@pytest.fixture(scope="session")
def _published_night(_made_night: Night, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The night published, ungated, with its whole release folder; only to be copied."""

    def make(place: Path) -> None:
        night = copied(_made_night, place)
        publish(night.staged, night.published, gate=lambda _: None, fill=fill_release)

    return night_in(made_once(tmp_path_factory, "published_night", make))


@pytest.fixture
def published_night(_published_night: Night, night: Night) -> Night:
    """`night` with its release published."""
    night.staged.unlink()
    shutil.copytree(_published_night.published.parent, night.published.parent, dirs_exist_ok=True)
    return night


def copied(night: Night, place: Path) -> Night:
    """The same night in another place."""
    shutil.copytree(night.warehouse.parent, place, dirs_exist_ok=True)
    return night_in(place)


@pytest.fixture(scope="module")
def one_cut() -> Iterator[None]:
    """The audit by recomputation at one date of three: for tests that are not about its cuts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checks.audits.recompute.CUTS", 1)
        yield


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A running Postgres, new for each file of tests."""
    with running_server() as server:
        yield server
