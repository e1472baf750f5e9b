"""What a run is given when it starts: its facts, and the warehouse, open and under the lock.

Belongs here: settings into resources. Does not belong here: reading the environment (`settings.py`), opening files
(`assets/warehouse`). Nothing is read when this module is imported.
"""

import datetime as dt
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from subprocess import DEVNULL, CalledProcessError, check_output

import dagster as dg

from assets.catalog.loader import load_catalog
from assets.progress import progress
from assets.publish.publication import prepare
from assets.publish.record import record_publication
from assets.run_facts import RunFacts
from assets.sources.registry import Sources
from assets.warehouse.connection import keep_copy
from assets.warehouse.resource import Warehouse
from pipelines.access import open_sources
from pipelines.dead_runs import fail_dead_runs
from pipelines.nightly import ACCEPTS_INCOMPLETE_TAG
from pipelines.process import ensure_home
from pipelines.settings import PROJECT_ROOT, Settings, load_settings

WAIT_SECONDS = 900.0  # a scheduled run, or one started in the UI, waits this long for the one before it


@dg.resource(description="Profile, run date and places of the run, from the environment.")
def run_facts(context: dg.InitResourceContext) -> RunFacts:
    """Facts of this run; the moment of its start is when its figures are captured."""
    settings = load_settings()
    return RunFacts(
        run_id=_run_id(context),
        profile=settings.profile,
        run_date=settings.run_date,
        started_at=dt.datetime.now(dt.UTC),
        project_root=settings.project_root,
        published_path=settings.published_path,
        code_version=code_version(),
        publishes_restricted=settings.publishes_restricted,
        is_historical=settings.as_of is not None,
        accepts_incomplete=context.run is not None and ACCEPTS_INCOMPLETE_TAG in context.run.tags,
    )


@dg.resource(description="The publishers of the run's profile; live, FRED's key is tried before any work.")
def sources(context: dg.InitResourceContext) -> Sources:
    """Holds the key out of sight: Dagster writes down neither resources nor what they print."""
    return open_sources(load_settings(), say=progress.info)


@dg.resource(
    description="The private DuckDB file of the profile, open under the run lock while the run lasts."
)
def warehouse(context: dg.InitResourceContext) -> Iterator[Warehouse]:
    """Waits for the lock, refuses what may not be published here, catches up the books, then hands the file over."""
    settings = load_settings()
    ensure_home(settings.dagster_home)
    resource = Warehouse(
        database=str(settings.warehouse_path),
        lock_path=str(settings.lock_path),
        wait_seconds=WAIT_SECONDS,
        profile=settings.profile,
    )
    with resource.yield_for_execution(context) as opened:
        if context.instance is not None:
            fail_dead_runs(context.instance, settings.lock_path.parent, _run_id(context))
        prepare(settings.published_path, settings.profile, settings.run_date)
        _catch_up(opened, settings)
        with opened.cursor() as con:
            keep_copy(con, opened.path)
        yield opened


def code_version() -> str:
    """Commit of the project, marked when files differ from it; the package's version outside of a repository."""
    try:
        described = check_output(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=PROJECT_ROOT, stderr=DEVNULL
        )
    except (OSError, CalledProcessError):
        try:
            return version("stimulus-regime")
        except PackageNotFoundError:
            return "unknown"
    return described.decode().strip()


def _catch_up(opened: Warehouse, settings: Settings) -> None:
    """A run killed between its publication and the books is made good by the next one."""
    with opened.cursor() as con:
        recorded = record_publication(con, settings.published_path, settings.profile, load_catalog())
    if recorded.note:
        progress.warning(recorded.note)


def _run_id(context: dg.InitResourceContext) -> str:
    return context.run.run_id if context.run is not None else "no-run"


RESOURCES = {"facts": run_facts, "sources": sources, "warehouse": warehouse}
