"""The resources of a run, made from the settings when it starts: its facts, its sources, and the locked warehouse."""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from subprocess import DEVNULL, CalledProcessError, check_output

import dagster as dg
from pydantic import Field

from assets.catalog.loader import load_catalog
from assets.progress import progress
from assets.publish.ledger import record_publication
from assets.publish.publication import prepare
from assets.run_facts import RunFacts
from assets.sources.publishers import Sources
from assets.warehouse.connection import keep_copy
from assets.warehouse.lock import mark_run_alive
from assets.warehouse.resource import Warehouse
from pipelines.process import ensure_home
from pipelines.run_history import DATA_DIR_TAG, fail_dead_runs
from pipelines.settings import PROJECT_ROOT, ConfigurationError, Settings, load_settings, open_sources

ACCEPTS_INCOMPLETE_TAG = "stimulus_regime/accept_incomplete"  # set by `run --accept-incomplete` alone
_WAIT_SECONDS = 900.0  # a scheduled run, or one started in the UI, waits this long for another run to end


class RunSettings(dg.ConfigurableResource):
    """Profile, as-of date and data directory of a run. What its config leaves empty comes from the environment."""

    profile: str | None = Field(
        default=None,
        description="sample, public or live. Empty: REGIME_PROFILE, else live with a FRED key, else sample.",
    )
    as_of: str | None = Field(
        default=None,
        description="YYYY-MM-DD: nothing that became public later is used; needs a data_dir. "
        "Empty: REGIME_AS_OF, else today in New York (public, live) or the sample's last day.",
    )
    data_dir: str | None = Field(
        default=None,
        description="Directory of the warehouse and the published file. Empty: REGIME_DATA_DIR, else data.",
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """First of all resources, so that a run is known to be alive before it waits for a publisher or the lock."""
        if context.run is not None:
            mark_run_alive(self.load().data_dir, context.run.run_id)

    def load(self) -> Settings:
        """The settings. Raises ConfigurationError, one line, also for an as-of date without a data directory."""
        if self.as_of and not self.data_dir:
            raise ConfigurationError(
                f"as_of {self.as_of} in the run config needs a data_dir next to it: a historical run "
                "publishes into a directory of its own"
            )
        given = {"REGIME_PROFILE": self.profile, "REGIME_AS_OF": self.as_of, "REGIME_DATA_DIR": self.data_dir}
        return load_settings(
            environ={**os.environ, **{name: value for name, value in given.items() if value}}
        )


class FactsOfRun(dg.ConfigurableResource[RunFacts]):
    """Facts of the run; its figures are captured at the moment it starts."""

    settings: RunSettings

    def create_resource(self, context: dg.InitResourceContext) -> RunFacts:
        """Profile, run date and folders, fixed for the run."""
        settings = self.settings.load()
        return RunFacts(
            run_id=context.run.run_id if context.run is not None else "no-run",
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


class SourcesOfProfile(dg.ConfigurableResource[Sources]):
    """The publishers of the run's profile; live, FRED's key (FRED_API_KEY) is tried before any work."""

    settings: RunSettings

    def create_resource(self, context: dg.InitResourceContext) -> Sources:
        """The key stays secret: Dagster records neither resources nor what they print."""
        return open_sources(self.settings.load(), log=progress.info)


class WarehouseOfProfile(dg.ConfigurableResource[Warehouse]):
    """The private DuckDB file of the profile, open under the run lock while the run lasts."""

    settings: RunSettings

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Waits for the lock, refuses a run that may not publish, records an unrecorded publication, opens the file."""
        settings = self.settings.load()
        ensure_home(settings.dagster_home)
        if context.instance is not None and context.run is not None:
            context.instance.add_run_tags(context.run.run_id, run_tags(settings))
        resource = Warehouse(
            database=str(settings.warehouse_path),
            lock_path=str(settings.lock_path),
            wait_seconds=_WAIT_SECONDS,
            profile=settings.profile,
        )
        with resource.yield_for_execution(context) as opened:
            if context.instance is not None:
                fail_dead_runs(context.instance, settings.data_dir)
            prepare(
                settings.published_path,
                settings.profile,
                settings.run_date,
                has_key=settings.fred_api_key is not None,
            )
            with opened.cursor() as con:  # a killed run may have published without recording it
                recorded = record_publication(con, settings.published_path, settings.profile, load_catalog())
                if recorded.note:
                    progress.warning(recorded.note)
                keep_copy(con, opened.path)
            yield opened


def run_tags(settings: Settings) -> dict[str, str]:
    """Tags by which the runs page can be filtered: profile, run date and data directory."""
    return {
        "stimulus_regime/profile": settings.profile,
        "stimulus_regime/as_of": settings.run_date.isoformat(),
        DATA_DIR_TAG: str(settings.data_dir),
    }


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


_settings = RunSettings.configure_at_launch()
RESOURCES = {
    "settings": _settings,
    "facts": FactsOfRun(settings=_settings),
    "sources": SourcesOfProfile(settings=_settings),
    "warehouse": WarehouseOfProfile(settings=_settings),
}
