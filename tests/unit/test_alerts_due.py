"""When somebody is told: new causes, reminders, ends, changes; and what a target remembers."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.alerts import memory as memory_file
from pipelines.alerts.memory import Busy, remembered
from pipelines.alerts.situation import Outage, Situation, Verdict, due, silently

NOW = dt.datetime(2026, 6, 1, 2, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
HELD = Outage("run", "derived/real_yields suite", "Publication held", "137 of 496 rows ...")
FAILED = Outage("run", "disk full", "The nightly run failed", "")
STALE = Outage("inputs", "EBP", "1 input stale", "", "warning")
FINE = Situation(frozenset({"run", "inputs"}))
FACTS = {"stance": "stimulus", "bubble_score": "0.67"}
BUBBLE = Verdict("live", "stimulus_into_bubble", FACTS, ("Stimulus into a bubble",))
PRICK = Verdict("live", "tightening_into_bubble", {**FACTS, "stance": "tightening"}, ("because",))

_HOLDS_THE_MEMORY = """
import pathlib, sys
from pipelines.alerts.memory import remembered
with remembered(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def with_outages(*outages: Outage) -> Situation:
    return replace(FINE, outages=outages)


class Told:
    """One target over time; `reached` says whether what is due now gets there."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}

    def hears(self, situation: Situation, now: dt.datetime = NOW, *, reached: bool = True) -> list[str]:
        messages = due(situation, self.memory, now)
        if reached:
            for message in messages:
                message.remember.apply(self.memory)
        for change in silently(situation, self.memory):
            change.apply(self.memory)
        self.memory = json.loads(json.dumps(self.memory))  # as after a restart
        return [message.title for message in messages]


def test_a_cause_is_told_once_and_then_once_a_day() -> None:
    told = Told()
    assert told.hears(with_outages(HELD)) == ["Publication held"]
    assert told.hears(with_outages(HELD), NOW + HOUR) == []
    assert told.hears(with_outages(HELD), NOW + DAY) == ["Still so: Publication held"]
    assert told.hears(with_outages(HELD), NOW + DAY + HOUR) == []


def test_a_new_cause_is_told_at_once_and_an_old_one_that_returns_is_not() -> None:
    told = Told()
    told.hears(with_outages(HELD))
    assert told.hears(with_outages(FAILED), NOW + HOUR) == ["The nightly run failed"]
    assert told.hears(with_outages(HELD), NOW + 2 * HOUR) == []


def test_the_end_is_told_once_and_only_to_those_who_were_told() -> None:
    told, untold = Told(), Told()
    told.hears(with_outages(HELD))
    untold.hears(with_outages(HELD), reached=False)
    assert told.hears(FINE, NOW + HOUR) == ["In order again: the nightly run publishes"]
    assert told.hears(FINE, NOW + 2 * HOUR) == []
    assert untold.hears(FINE, NOW + HOUR) == []


def test_what_did_not_get_through_is_tried_again() -> None:
    told = Told()
    assert told.hears(with_outages(HELD), reached=False) == ["Publication held"]
    assert told.hears(with_outages(HELD), NOW + HOUR) == ["Publication held"]
    assert told.hears(FINE, NOW + 2 * HOUR, reached=False) == ["In order again: the nightly run publishes"]
    assert told.hears(FINE, NOW + 3 * HOUR) == ["In order again: the nightly run publishes"]


def test_an_outage_that_begins_anew_is_told_anew() -> None:
    told = Told()
    told.hears(with_outages(HELD))
    told.hears(FINE, NOW + HOUR)
    assert told.hears(with_outages(HELD), NOW + 2 * HOUR) == ["Publication held"]


def test_what_was_not_looked_at_is_not_in_order() -> None:
    told = Told()
    told.hears(with_outages(STALE))
    assert told.hears(replace(FINE, looked_at=frozenset({"run"})), NOW + HOUR) == []


def test_a_publisher_that_stopped_is_reminded_of_weekly() -> None:
    told = Told()
    told.hears(with_outages(STALE))
    assert told.hears(with_outages(STALE), NOW + 6 * DAY) == []
    assert told.hears(with_outages(STALE), NOW + 7 * DAY) == ["Still so: 1 input stale"]


def test_first_label_is_remembered_silently_and_a_change_is_told_until_heard() -> None:
    told = Told()
    bubble, prick = replace(FINE, verdict=BUBBLE), replace(FINE, verdict=PRICK)
    change = "Regime change: stimulus_into_bubble -> tightening_into_bubble"
    assert told.hears(bubble) == []
    assert told.hears(prick, reached=False) == [change]
    assert told.hears(prick) == [change]
    assert told.hears(prick) == []


def test_a_change_names_what_moved_and_the_evidence() -> None:
    told = Told()
    told.hears(replace(FINE, verdict=BUBBLE))
    (message,) = due(replace(FINE, verdict=PRICK), told.memory, NOW)
    assert message.body == "stance: stimulus -> tightening\n\nbecause"


def test_profiles_do_not_change_into_each_other() -> None:
    told = Told()
    told.hears(replace(FINE, verdict=replace(BUBBLE, profile="sample")))
    assert told.hears(replace(FINE, verdict=PRICK)) == []


@given(st.lists(st.tuples(st.sampled_from([None, HELD, FAILED]), st.booleans()), max_size=40))
def test_at_most_one_message_a_day_and_cause_and_no_end_without_a_beginning(
    hours: list[tuple[Outage | None, bool]],
) -> None:
    told, heard, open_ = Told(), [], False
    for n, (outage, reached) in enumerate(hours):
        situation = with_outages(*([outage] if outage else []))
        titles = told.hears(situation, NOW + n * HOUR, reached=reached)
        assert len(titles) <= 1
        if titles and reached:
            is_end = titles[0].startswith("In order again")
            assert not is_end or open_
            open_ = not is_end
            heard.append((n, titles[0].removeprefix("Still so: "), is_end))
    starts = [(n, title) for n, title, is_end in heard if not is_end]
    ends = [n for n, _, is_end in heard if is_end]
    for (a, first), (b, second) in itertools.pairwise(starts):
        if first == second and not any(a < end < b for end in ends):
            assert b - a >= 24


def test_memory_survives_a_restart_and_a_damaged_file(tmp_path: Path) -> None:
    with remembered(tmp_path) as memory:
        memory["a"] = {"outages": {}}
    with remembered(tmp_path) as memory:
        assert memory == {"a": {"outages": {}}}
    (tmp_path / "alerts.json").write_text("{")
    with remembered(tmp_path) as memory:
        assert memory == {}


def test_memory_is_kept_when_telling_breaks_off(tmp_path: Path) -> None:
    try:
        with remembered(tmp_path) as memory:
            memory["a"] = {"told": 1}
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert json.loads((tmp_path / "alerts.json").read_text()) == {"a": {"told": 1}}


def test_two_processes_never_tell_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_file, "_PATIENCE_SECONDS", 0.3)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS_THE_MEMORY, str(tmp_path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy), remembered(tmp_path):
            pass
        other.kill()  # the kernel frees the lock of a process that is killed
        other.wait()
    with remembered(tmp_path) as memory:
        assert memory == {}
