"""The resources of a run, made from the settings when it starts: its facts, its sources, and the locked warehouse."""

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
from pipelines.process import ensure_home
from pipelines.run_history import fail_dead_runs
from pipelines.settings import PROJECT_ROOT, load_settings

ACCEPTS_INCOMPLETE_TAG = "stimulus_regime/accept_incomplete"  # set by `run --accept-incomplete` alone
_WAIT_SECONDS = 900.0  # a scheduled run, or one started in the UI, waits this long for another run to end


@dg.resource(description="Profile, run date and folders of the run, from the environment.")
def run_facts(context: dg.InitResourceContext) -> RunFacts:
    """Facts of this run; its figures are captured at the moment it starts."""
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
    """The key stays secret: Dagster records neither resources nor what they print."""
    return open_sources(load_settings(), log=progress.info)


@dg.resource(
    description="The private DuckDB file of the profile, open under the run lock while the run lasts."
)
def warehouse(context: dg.InitResourceContext) -> Iterator[Warehouse]:
    """Waits for the lock, refuses a run that may not publish, records an unrecorded publication, opens the file."""
    settings = load_settings()
    ensure_home(settings.dagster_home)
    resource = Warehouse(
        database=str(settings.warehouse_path),
        lock_path=str(settings.lock_path),
        wait_seconds=_WAIT_SECONDS,
        profile=settings.profile,
    )
    with resource.yield_for_execution(context) as opened:
        if context.instance is not None:
            fail_dead_runs(context.instance, settings.data_dir)
        prepare(settings.published_path, settings.profile, settings.run_date, has_key=settings.has_key)
        with opened.cursor() as con:  # a killed run may have published without recording it
            recorded = record_publication(con, settings.published_path, settings.profile, load_catalog())
            if recorded.note:
                progress.warning(recorded.note)
            keep_copy(con, opened.path)
        yield opened


def code_version() -> str:
    """The project's commit, marked when files differ from it; outside a repository the package's version."""
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


def _run_id(context: dg.InitResourceContext) -> str:
    return context.run.run_id if context.run is not None else "no-run"


RESOURCES = {"facts": run_facts, "sources": sources, "warehouse": warehouse}
