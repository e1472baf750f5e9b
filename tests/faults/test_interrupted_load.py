"""A first load shows each series as it is fetched; interrupted or killed it loses none, leaves no key, and goes on."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from assets.warehouse.schema import open_warehouse
from pipelines.instance import open_instance
from tests.fakes.fred_runs import fred_run, quick_source
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY, live_world
from tests.nightly_run import ROOT, new_installation

ENOUGH = 60  # requests: about a third of the load
NOWHERE = "http://127.0.0.1:9/"


def environment(place: Path, server: FredServer) -> dict[str, str]:
    own = {  # slow enough for every series to be written at once, as at FRED's own pace, which is four times slower
        "FRED_API_KEY": KEY, "FRED_ROOT_URL": server.url, "FRED_REQUESTS_PER_SECOND": "7",
        "REGIME_RETRY_BUDGET_SECONDS": "0", "REGIME_PROFILE": "live",
    }  # fmt: skip
    others = {f"{name}_URL": NOWHERE for name in ("FISCAL_DATA", "FED_BOARD", "SHILLER", "WORLD_BANK")}
    return {**new_installation(place).environment, **own, **others}


def _materialized(home: Path) -> set[str]:
    """Series of FRED that the history shows as materialized by now."""
    with open_instance(home) as instance:
        (run,) = instance.get_run_records(limit=1)
        events = instance.all_logs(run.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        keys = [entry.dagster_event.asset_key for entry in events if entry.dagster_event is not None]
    return {key.to_user_string() for key in keys if key is not None and key.path[:2] == ["raw", "fred"]}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_fetched_stays_and_the_next_run_requests_the_rest(
    tmp_path: Path, how: signal.Signals
) -> None:
    now = dt.datetime.now(dt.UTC)
    with fred_server(live_world(now.date())) as server:
        run = subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run"], cwd=ROOT, env=environment(tmp_path, server),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        limit = time.monotonic() + 150
        while len(server.asked) < ENOUGH and run.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        shown = _materialized(tmp_path / "dagster_home")
        assert run.poll() is None and ENOUGH // 6 < len(shown) < len(server.world.series), (
            "not shown as fetched"
        )
        run.send_signal(how)
        output, _ = run.communicate(timeout=100)
        assert len(server.asked) >= ENOUGH, output
        begun = [asked["series_id"] for _, path, asked in server.asked[1:] if path == "/fred/series"]
        with open_warehouse(tmp_path / "data" / "warehouse.duckdb") as con:
            stored = {row[0] for row in con.execute("SELECT DISTINCT series_id FROM raw.vintages").fetchall()}
            recorded = {
                row[0]
                for row in con.execute("SELECT series_id FROM raw.fetches WHERE rows_new > 0").fetchall()
            }
            assert stored == recorded, "archive and fetch records are written together"
            assert shown <= {f"raw/fred/{name}" for name in stored}, "shown before it was written"
            # the last one asked for may have been under way, and the one before it on its way to the file
            assert stored >= set(begun[:-2]) and len(stored) > 10
            server.asked.clear()
            fred_run(con, quick_source(server, lambda: now), now)
            for series_id in stored:
                assert server.count("observations", series_id) == 0, f"{series_id} was fetched again"
            whole = con.execute("SELECT count(DISTINCT series_id) FROM raw.vintages").fetchall()
            assert whole == [(len(server.world.series),)]
    assert KEY not in output
    left = [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert left == []
