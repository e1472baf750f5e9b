"""`run`: the nightly job once, in this process, then the verdict.

Nothing is fetched before the settings, the key, the lock and the data directory are known to be right, and they are
checked before Dagster is loaded, which takes two seconds.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.report.published import Release
from pipelines import process
from pipelines.instance import open_instance, run_lock
from pipelines.process import print_progress
from pipelines.published_verdict import summary_lines
from pipelines.release_file import open_published
from pipelines.settings import PROFILE_WORDS, ConfigurationError, Settings, load_settings, read_environment

if TYPE_CHECKING:
    from pipelines.outcome import Outcome

PUBLISHED = 0
_STATUS = {"published": PUBLISHED, "blocked": 1, "unreachable": 3}
_TABLE = re.compile(r"(derived|regime)/\w+: \d+ rows$")
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the event log has everything


def run(args: argparse.Namespace) -> int:
    """Run once and publish; the exit status, which `python -m pipelines --help` lists."""
    given = {} if args.profile is None else {"REGIME_PROFILE": args.profile}
    settings = load_settings(as_of=args.as_of, environ={**os.environ, **given})
    for notice in settings.notices:
        print(f"warning: {notice}", file=sys.stderr)
    if settings.profile == "live":
        _try_key(settings)
    print_progress(f"{PROFILE_WORDS[settings.profile]}; nothing known after {settings.run_date} is used")
    before = _identity(settings.published_path)
    try:
        return _run_and_report(settings, args.wait, args.accept_incomplete)
    except BaseException:
        if not process.is_interrupted() or _identity(settings.published_path) == before:
            raise
        process.finish_undisturbed()
        print_progress(f"interrupted after the publication: {settings.published_path} is the new release")
        return PUBLISHED


def run_nightly(settings: Settings, *, wait_seconds: float, accepts_incomplete: bool = False) -> Outcome:
    """Run the complete job once under the run lock. A failure of the job is an outcome.

    Raises LockHeld, WarehouseError or PublicationRefused when it cannot begin.
    """
    from assets.publish.publication import prepare
    from assets.warehouse.connection import wait_for_others

    with run_lock(settings).held(wait_seconds, print_progress):
        prepare(
            settings.published_path,
            settings.profile,
            settings.run_date,
            has_key=settings.fred_api_key is not None,
        )
        wait_for_others(settings.warehouse_path, wait_seconds, print_progress)
        process.ensure_home(settings.dagster_home)
        print_progress("loading the pipeline")
        return _execute(settings, accepts_incomplete)


def _run_config(settings: Settings) -> dict[str, Any]:
    """What the Launchpad would have: the settings of this command for the resources of the run."""
    given = {"profile": settings.profile, "data_dir": str(settings.data_dir)}
    if settings.as_of is not None:
        given["as_of"] = settings.as_of.isoformat()
    return {**_QUIET, "resources": {"settings": {"config": given}}}


def _execute(settings: Settings, accepts_incomplete: bool) -> Outcome:
    import dagster as dg

    from pipelines.definitions import assets_of_profile, nightly_job
    from pipelines.outcome import outcome_of
    from pipelines.resources import ACCEPTS_INCOMPLETE_TAG, run_tags
    from pipelines.run_history import run_of_this_process

    # a command that was killed is not repeated behind the back of whoever called it
    tags = {**run_tags(settings), "dagster/max_retries": "0"}
    if accepts_incomplete:
        tags[ACCEPTS_INCOMPLETE_TAG] = "true"
    with (
        printed_progress(),
        open_instance(settings.dagster_home) as instance,
        run_of_this_process(instance, settings.data_dir) as own,
    ):
        result = dg.execute_job(
            dg.reconstructable(nightly_job),
            instance=instance,
            asset_selection=assets_of_profile(settings.profile),
            run_config=_run_config(settings),
            tags={**tags, **own},
        )  # not opened: its context would make every resource again, and open the warehouse with them
        return outcome_of(result, settings)


@contextmanager
def printed_progress() -> Iterator[None]:
    """Print the progress log of the run."""
    from assets.progress import progress

    class _Handler(logging.Handler):
        """Prints every line but those of single tables, which become one line when their stage is over."""

        stage, tables = "", 0

        def emit(self, record: logging.LogRecord) -> None:
            line = record.getMessage()
            of_table = _TABLE.match(line)
            stage = of_table[1] if of_table else ""
            if self.tables and stage != self.stage:
                print_progress(f"{self.stage}: {self.tables} table{'s' if self.tables > 1 else ''} computed")
                self.tables = 0
            self.stage = stage
            self.tables += bool(of_table)
            if not of_table:
                print_progress(line)

    handler, level = _Handler(), progress.level
    progress.addHandler(handler)
    progress.setLevel(logging.INFO)
    try:
        yield
    finally:
        progress.removeHandler(handler)
        progress.setLevel(level)


def _identity(published: Path) -> tuple[int, int] | None:
    """Which file is published; different after every publication."""
    try:
        found = published.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _try_key(settings: Settings) -> None:
    """Report a wrong key, or an unreachable FRED, at once."""
    from pipelines.settings import open_sources

    hint = "the run keeps trying. Without a network, `run --profile sample` works"
    open_sources(settings, log=lambda line: print_progress(f"{line}; {hint}"))


def _run_and_report(settings: Settings, wait_seconds: float, accepts_incomplete: bool) -> int:
    from assets.catalog.loader import CatalogError
    from assets.warehouse.connection import LockHeld, WarehouseError
    from assets.warehouse.published_file import PublicationRefused

    try:
        outcome = run_nightly(settings, wait_seconds=wait_seconds, accepts_incomplete=accepts_incomplete)
    except (CatalogError, LockHeld, PublicationRefused, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    except ConfigurationError:  # found in the middle of the run, as a refused key is
        _send_alerts(settings)
        raise
    for line in outcome.lines:
        print_progress(line)
    if outcome.status == "published":
        with open_published(settings.published_path) as con:
            print("\n".join(["", *summary_lines(Release(con), settings.published_path)]))
    else:
        if outcome.checks:
            print_progress(f"blocked by: {', '.join(outcome.checks)}")
        exists = settings.published_path.exists()
        print_progress(f"{settings.published_path} is unchanged" if exists else "nothing is published yet")
    _send_alerts(settings)
    return _STATUS[outcome.status]


def _send_alerts(settings: Settings) -> None:
    """Send the alerts due; a failure to send does not change the outcome of the run."""
    from pipelines.alerts import VARIABLE, review

    if VARIABLE not in read_environment():
        return
    try:
        with open_instance(settings.dagster_home) as instance:
            lines = [sent.line for sent in review(settings, instance)]
    except Exception as error:  # history, network and each service raise their own
        lines = [f"warning: alerts: {' '.join(str(error).split())[:200]}"]
    for line in lines:
        print_progress(line)
