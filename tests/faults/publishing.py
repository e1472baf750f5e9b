"""Publications one after the other, each in a process of its own: `python publishing.py DATA_DIR`, a line each.

Every line read starts one; its process id is printed at once, then its exit status and processor seconds. Started by
`test_publication_killed.py`, which kills them. The process that starts them has loaded everything and opens no file,
so that one costs seconds less than a run; it does what a run does from the staged file on, the judgement left out.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

import jsonschema  # noqa: F401  loaded before the processes fork, like the others so marked
import vl_convert  # noqa: F401

from assets.catalog.loader import load_catalog
from assets.publish.documents.fill import fill_release
from assets.publish.manifest import release_facts
from assets.publish.publication import prepare, publish, staged_path
from assets.publish.record import record_publication
from assets.publish.staged_file import build_release
from assets.report import page  # noqa: F401
from assets.warehouse.connection import keep_copy
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from tests.integration.sample_night import SAMPLE_END, night_facts


def publish_once(data: Path, number: str) -> None:
    """Make good what a killed one left, then build, describe, swap in and book a release."""
    catalog, now = load_catalog(), dt.datetime.now(dt.UTC)
    facts = night_facts(data, SAMPLE_END, now, f"publication-{number}")
    published = facts.published_path
    warehouse = data / "sample.warehouse.duckdb"
    with open_warehouse(warehouse, lock=RunLock(data / "run.lock")) as con:
        prepare(published, facts.profile, facts.run_date)
        record_publication(con, published, facts.profile, catalog)
        keep_copy(con, warehouse)
        staged = staged_path(published)
        build_release(con, staged, catalog, release_facts(con, facts, now))
        publish(staged, published, gate=lambda _: keep_copy(con, warehouse), fill=fill_release)
        record_publication(con, published, facts.profile, catalog)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            publish_once(Path(sys.argv[1]), line.strip())
            os._exit(0)
        print(child, flush=True)
        _, status, used = os.wait4(child, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)


if __name__ == "__main__":
    main()
