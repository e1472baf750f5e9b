"""Whole processes: a nightly run on the sample beside an empty Dagster job of as many steps, and start-up times."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from time import perf_counter, sleep

import psutil
import pytest

from tests.benchmarks.report import DOCS, record

ROOT = DOCS.parent
# the same steps and, with `imports`, the same modules a night loads; nothing is done in them
_EMPTY = """
import sys
import dagster as dg
if sys.argv[2] == "imports":
    import great_expectations, pandas, duckdb, vl_convert
    import pipelines.definitions, pipelines.outcome
def step(n):
    @dg.asset(name=f"step_{n}", deps=[f"step_{n - 1}"] if n else [])
    def asset() -> None: pass
    return asset
defs = dg.Definitions(assets=[step(n) for n in range(int(sys.argv[1]))], jobs=[dg.define_asset_job("empty")],
                      executor=dg.in_process_executor)
with dg.DagsterInstance.get() as instance:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    assert defs.resolve_job_def("empty").execute_in_process(instance=instance, run_config=quiet).success
"""


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """An environment with a history and a data directory of its own."""
    home = tmp_path / "history"
    home.mkdir()
    (home / "dagster.yaml").write_text((ROOT / "dagster_home" / "dagster.yaml").read_text("utf-8"))
    return {**os.environ, "DAGSTER_HOME": str(home), "REGIME_DATA_DIR": str(tmp_path / "data")}


def whole_process(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Wall seconds, and peak gigabytes of a process started in the root with those it starts."""
    began, peak = perf_counter(), 0
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        watched = psutil.Process(child.pid)
        while child.poll() is None:
            try:
                family = [watched, *watched.children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in family))
            except psutil.NoSuchProcess:
                continue
            try:
                child.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        assert child.wait() == 0, command
    return perf_counter() - began, peak / 1e9


def best(times: int, command: list[str], env: dict[str, str]) -> tuple[float, float]:
    return min(whole_process(command, env) for _ in range(times))


def steps_of_the_night() -> int:
    from pipelines.definitions import defs

    return len(defs.resolve_job_def("nightly").graph.node_dict)


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_nightly_run_beside_an_empty_job(place: dict[str, str]) -> None:
    steps, python = steps_of_the_night(), sys.executable
    run = [python, "-m", "pipelines", "run"]
    first = whole_process(run, place)
    bare = best(3, [python, "-c", _EMPTY, str(steps), "none"], place)
    loaded = best(3, [python, "-c", _EMPTY, str(steps), "imports"], place)
    warm = best(4, run, place)
    steps_of_warm = _by_layer(place)
    rows: list[tuple[str | float, ...]] = []
    for name, (seconds, peak) in (
        (f"empty job, {steps} steps", bare),
        (f"empty job, {steps} steps, the night's imports", loaded),
        ("nightly run, no new data", warm),
        ("nightly run, first in a new data directory", first),
    ):
        rows.append((name, seconds, peak, seconds / bare[0], seconds / loaded[0]))
    record(
        "Nightly run on the sample",
        "Complete processes including start-up, best of several (the first run: once). Every run computes every table "
        "and runs every check.",
        ("what", "seconds", "peak GB", "times the empty job", "times the empty job with imports"),
        rows,
    )
    record(
        "Where a night goes",
        "Seconds in the steps of the last run with no new data, by layer. The first check to run imports Great "
        "Expectations; the rest is start-up.",
        ("layer", "steps", "seconds"),
        steps_of_warm,
    )
    assert bare[0] < loaded[0] < warm[0]


def _by_layer(place: dict[str, str]) -> list[tuple[str | float | int, ...]]:
    """Number of steps and seconds of the newest run, by layer; checks apart."""
    import dagster as dg

    found: dict[str, list[float]] = {}
    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.setenv("DAGSTER_HOME", place["DAGSTER_HOME"])
        instance = opened.enter_context(dg.DagsterInstance.get())
        (newest,) = instance.get_run_records(limit=1)
        for step in instance.get_run_step_stats(newest.dagster_run.run_id):
            layer = "checks" if step.step_key.endswith(("_suite", "identities")) else None
            name = layer or next(n for n in _LAYERS if step.step_key.startswith(n))
            found.setdefault(_LAYERS.get(name, name), []).append(
                (step.end_time or 0) - (step.start_time or 0)
            )
    return [(name, len(seconds), sum(seconds)) for name, seconds in found.items()]


_LAYERS = {
    "raw": "raw",
    "derived": "derived",
    "regime": "regime",
    "hindsight": "regime",
    "publish": "publish",
}


@pytest.mark.bench
def test_start_up(place: dict[str, str]) -> None:
    python = sys.executable
    assert whole_process([python, "-m", "pipelines", "run"], place)[0] > 0
    rows = []
    for name, command in (
        ("python -m pipelines show", [python, "-m", "pipelines", "show"]),
        ("python -m pipelines --help", [python, "-m", "pipelines", "--help"]),
        ("loading the definitions", [python, "-c", "import pipelines.definitions"]),
    ):
        seconds, peak = best(5, command, place)
        rows.append((name, seconds, peak))
    rows.append(
        ("dagster-webserver to its first page", min(_first_page(place) for _ in range(2)), float("nan"))
    )
    record("Start-up", "Complete processes, best of five.", ("what", "seconds", "peak GB"), rows)
    assert rows[0][1] < 0.5


def _first_page(place: dict[str, str]) -> float:
    """Seconds from starting the webserver to its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = perf_counter()
    command = [
        str(Path(sys.executable).with_name("dagster-webserver")), "-w", "workspace.yaml", "-h", "127.0.0.1",
        "-p", str(port),
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=ROOT, env=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            while True:
                with (
                    suppress(OSError),
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page,
                ):
                    page.read()
                    return perf_counter() - began
                assert server.poll() is None
                sleep(0.05)
        finally:
            for child in psutil.Process(server.pid).children(recursive=True):
                child.kill()
            server.kill()
