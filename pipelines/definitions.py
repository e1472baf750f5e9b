"""The code location: everything Dagster loads. The environment is read by resources when a run starts, not here."""

from __future__ import annotations

import warnings

import dagster as dg

from assets.asset_specs import catalogue_entry
from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile
from assets.computed import COMPUTED_TABLES
from assets.publish.release import release
from assets.raw import RAW_ASSETS
from checks.factories import all_checks
from pipelines.problems import EXPECTED_AT, NEW_YORK
from pipelines.resources import RESOURCES
from pipelines.run_history import alerts_sensor, dead_runs_sensor, history_sensor
from pipelines.settings import choose_profile, read_environment


def _with_links(assets: list[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The same assets, each linked in the UI to its entry of the catalogue and to its code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's only way of linking code is beta in 1.13
        declared = [asset.map_asset_specs(_with_entry) for asset in assets]
        linked = dg.with_source_code_references(declared)
    return [asset for asset in linked if isinstance(asset, dg.AssetsDefinition)]


def _with_entry(spec: dg.AssetSpec) -> dg.AssetSpec:
    entry = catalogue_entry(spec.key)
    if entry is None:
        return spec
    file, line = entry
    link = dg.LocalFileCodeReference(file_path=str(file), line_number=line, label="catalogue entry")
    references = dg.CodeReferencesMetadataValue(code_references=[link])
    return spec.merge_attributes(metadata={"dagster/code_references": references})


nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    tags={"dagster/retry_strategy": "ALL_STEPS"},  # steps share one open warehouse: none is run again alone
    description="Fetch every series, compute the tables, check them, and publish the regime. "
    "A failed check blocks the publication.",
)


def nightly_job() -> dg.JobDefinition:
    """The job, for `dg.reconstructable`."""
    return defs.resolve_job_def("nightly")


def assets_of_profile(profile: Profile) -> list[dg.AssetKey]:
    """The assets of a run: every table, and the series of the profile. The others are not fetched."""
    catalog = load_catalog()
    left_out = {
        dg.AssetKey(list(series.asset_key))
        for series in catalog.series.values()
        if profile not in series.profiles
    }
    return [key for key in defs.resolve_asset_graph().executable_asset_keys if key not in left_out]


@dg.schedule(
    name="nightly_schedule",
    job=nightly,
    cron_schedule=f"{EXPECTED_AT.minute} {EXPECTED_AT.hour} * * 1-5",
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Weekdays at 21:30 New York time.",
)
def nightly_schedule() -> dg.RunRequest:
    """A run of the assets of the profile that the environment chooses."""
    return dg.RunRequest(asset_selection=assets_of_profile(choose_profile(read_environment())))


defs = dg.Definitions(
    assets=_with_links([*RAW_ASSETS, *COMPUTED_TABLES, release]),
    asset_checks=all_checks(load_catalog()),
    jobs=[nightly],
    schedules=[nightly_schedule],
    sensors=[alerts_sensor, dead_runs_sensor, history_sensor],
    resources=RESOURCES,
    # About nine times faster than a process per step, and there is one writer anyway. A step that failed after all its
    # outputs does not stop those downstream: see docs/decisions/0021-a-refused-series-fails-its-step.md.
    executor=dg.in_process_executor.configured(
        {"step_dependency_config": {"require_upstream_step_success": False}}, name="in_process"
    ),
)
