"""Judging beside comes to what judging here comes to, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import psutil
import pytest

from assets.catalog.loader import PROJECT_ROOT
from checks.judge import _beside, judge_beside, validated
from checks.suites.rules import BETWEEN, IN_SET, NOT_NULL
from checks.validation import Outcome, Spec, validate

FRAME = pd.DataFrame({"rate": [1.0, np.nan, 9.0, -3.0], "label": ["a", "b", "c", None]})
SPECS: list[Spec] = [
    (NOT_NULL, {"column": "rate"}),
    (BETWEEN, {"column": "rate", "min_value": 0.0, "max_value": 5.0}),
    (IN_SET, {"column": "label", "value_set": ["a", "b"]}),
    (BETWEEN, {"column": "rate", "min_value": -5.0, "max_value": 10.0}),
    (BETWEEN, {"column": "nowhere", "min_value": 0.0, "max_value": 1.0}),
]
_ENDED_HARD = """
import os, time
os.sched_getaffinity = lambda _: {0, 1}
from checks.judge import _beside, judge_beside
with judge_beside():
    print(_beside[0].pid, flush=True)
    time.sleep(600)
"""


def plain(outcomes: list[Outcome]) -> list[tuple[object, ...]]:
    return [(one.success, one.positions.tolist(), one.observed, one.error) for one in outcomes]


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """The process, on a machine with two cores at least."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    with judge_beside():
        (process,) = _beside
        yield process
    assert process.poll() is not None and _beside == []


@pytest.mark.parametrize("lists_rows", [False, True])
def test_the_process_beside_comes_to_the_same(
    beside: subprocess.Popen[bytes], lists_rows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = validate(FRAME, SPECS, lists_rows=lists_rows)
    monkeypatch.setattr("checks.judge.validate", lambda *_, **__: pytest.fail("judged here"))
    assert plain(validated(FRAME, SPECS, lists_rows=lists_rows)) == plain(here)
    assert [one.success for one in here] == [False, False, False, True, False]
    assert here[4].error and beside.poll() is None


def test_what_cannot_be_judged_is_an_error_of_the_run(beside: subprocess.Popen[bytes]) -> None:
    with pytest.raises(KeyError, match="ExpectNonsense"):
        validated(FRAME, [("ExpectNonsense", {})], lists_rows=False)
    assert validated(FRAME, SPECS[3:4], lists_rows=False)[0].success and beside.poll() is None


def test_without_the_process_the_run_judges_itself(beside: subprocess.Popen[bytes]) -> None:
    beside.kill()
    beside.wait()
    assert plain(validated(FRAME, SPECS, lists_rows=True)) == plain(validate(FRAME, SPECS, lists_rows=True))


def test_a_process_that_hangs_does_not_hang_the_run(
    beside: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checks.judge._PATIENCE_SECONDS", 1.0)
    beside.send_signal(signal.SIGSTOP)
    assert plain(validated(FRAME, SPECS, lists_rows=True)) == plain(validate(FRAME, SPECS, lists_rows=True))
    assert _beside == [] and beside.wait(60.0) == -signal.SIGKILL


def test_one_core_has_no_process_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    with judge_beside():
        assert _beside == []


def test_it_ends_with_a_run_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENDED_HARD], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        judge = psutil.Process(int(run.stdout.readline()))
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        give_up = time.monotonic() + 60.0
        while judge.is_running() and judge.status() != psutil.STATUS_ZOMBIE and time.monotonic() < give_up:
            time.sleep(0.1)
        assert not judge.is_running() or judge.status() == psutil.STATUS_ZOMBIE
