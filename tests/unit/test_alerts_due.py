"""Which messages are due: new causes, reminders, ends, changes of the label; and the memory of a target."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import Timeout

from pipelines import alerts as delivery
from pipelines.alerts import remembered
from pipelines.problems import Label, Problem, Situation, due, silent_changes

NOW = dt.datetime(2026, 6, 1, 2, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BLOCKED = Problem("run", "derived/real_yields suite", "Publication blocked", "137 of 496 rows failed")
FAILED = Problem("run", "disk full", "The nightly run failed", "")
STALE = Problem("inputs", "EBP", "1 input stale", "", "warning")
FINE = Situation(frozenset({"run", "inputs"}))
SOLVED = "Solved: the nightly run publishes"
FACTS = {"stance": "stimulus", "bubble_score": "0.67"}
BUBBLE = Label("live", "stimulus_into_bubble", FACTS, ("Stimulus into a bubble",))
PRICK = Label("live", "tightening_into_bubble", {**FACTS, "stance": "tightening"}, ("because",))
CHANGE = "Regime change: stimulus_into_bubble -> tightening_into_bubble"

_LOCKS_THE_MEMORY = """
import pathlib, sys
from pipelines.alerts import remembered
with remembered(pathlib.Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def having(*problems: Problem) -> Situation:
    return replace(FINE, problems=problems)


class Target:
    """One target over time; `reached`: whether it can be reached now."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}

    def receives(self, situation: Situation, now: dt.datetime = NOW, *, reached: bool = True) -> list[str]:
        messages = due(situation, self.memory, now)
        if reached:
            for message in messages:
                message.remember.apply(self.memory)
        for change in silent_changes(situation, self.memory):
            change.apply(self.memory)
        self.memory = json.loads(json.dumps(self.memory))  # as after a restart
        return [message.title for message in messages]


# situation, hours since the first, whether the target is reached, and the titles due
Step = tuple[Situation, float, bool, list[str]]
TIMELINES: dict[str, list[Step]] = {
    "a cause once, then once a day": [
        (having(BLOCKED), 0, True, ["Publication blocked"]),
        (having(BLOCKED), 1, True, []),
        (having(BLOCKED), 24, True, ["Continues: Publication blocked"]),
        (having(BLOCKED), 25, True, []),
    ],
    "a new cause at once, an old one that returns not": [
        (having(BLOCKED), 0, True, ["Publication blocked"]),
        (having(FAILED), 1, True, ["The nightly run failed"]),
        (having(BLOCKED), 2, True, []),
    ],
    "the end once, and a new beginning anew": [
        (having(BLOCKED), 0, True, ["Publication blocked"]),
        (FINE, 1, True, [SOLVED]),
        (FINE, 2, True, []),
        (having(BLOCKED), 3, True, ["Publication blocked"]),
    ],
    "no end for a problem that was never received": [
        (having(BLOCKED), 0, False, ["Publication blocked"]),
        (FINE, 1, True, []),
    ],
    "an unsent message again": [
        (having(BLOCKED), 0, False, ["Publication blocked"]),
        (having(BLOCKED), 1, True, ["Publication blocked"]),
        (FINE, 2, False, [SOLVED]),
        (FINE, 3, True, [SOLVED]),
    ],
    "no end for a topic that was not checked": [
        (having(STALE), 0, True, ["1 input stale"]),
        (replace(FINE, checked=frozenset({"run"})), 1, True, []),
    ],
    "a stopped publisher weekly": [
        (having(STALE), 0, True, ["1 input stale"]),
        (having(STALE), 6 * 24, True, []),
        (having(STALE), 7 * 24, True, ["Continues: 1 input stale"]),
    ],
    "the first label silently, a change until it is received": [
        (replace(FINE, label=BUBBLE), 0, True, []),
        (replace(FINE, label=PRICK), 1, False, [CHANGE]),
        (replace(FINE, label=PRICK), 2, True, [CHANGE]),
        (replace(FINE, label=PRICK), 3, True, []),
    ],
    "no change between profiles": [
        (replace(FINE, label=replace(BUBBLE, profile="sample")), 0, True, []),
        (replace(FINE, label=PRICK), 1, True, []),
    ],
}


@pytest.mark.parametrize("name", TIMELINES)
def test_each_problem_is_reported_once_to_each_target(name: str) -> None:
    target = Target()
    for situation, hours, reached, titles in TIMELINES[name]:
        assert target.receives(situation, NOW + hours * HOUR, reached=reached) == titles, hours


def test_a_change_of_the_label_names_what_moved_and_the_evidence() -> None:
    target = Target()
    target.receives(replace(FINE, label=BUBBLE))
    (message,) = due(replace(FINE, label=PRICK), target.memory, NOW)
    assert message.body == "stance: stimulus -> tightening\n\nbecause"


def test_memory_survives_a_restart_an_interruption_and_a_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), remembered(tmp_path) as memory:
        memory["a"] = {"outages": {}}
        raise KeyboardInterrupt
    with remembered(tmp_path) as memory:
        assert memory == {"a": {"outages": {}}}
    (tmp_path / "alerts.json").write_text("{")
    with remembered(tmp_path) as memory:
        assert memory == {}


def test_two_processes_never_send_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_WAIT_SECONDS", 0.3)
    with subprocess.Popen(
        [sys.executable, "-c", _LOCKS_THE_MEMORY, str(tmp_path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(Timeout), remembered(tmp_path):
            pass
        other.kill()  # the kernel frees the lock of a process that is killed
        other.wait()
    with remembered(tmp_path) as memory:
        assert memory == {}
