"""Great Expectations in a process of its own, which imports it while the run still works on something else.

Belongs here: that process, and asking it. Does not belong here: what is asked (`validation.py`).

Every night has something new to judge, and the import takes as long as a quarter of a night with nothing new; on a
machine with a second core nobody waits for it. The process lives as long as the run's resources: it reads its orders
from a pipe and ends when that is closed, however the run ended. Where it fails or is not there, the run judges itself.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from assets.frozen import frozen
from checks.validation import Outcome, Spec, validate, whole_frame

if TYPE_CHECKING:
    import pandas as pd

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 300.0  # with its import; the longest answer takes a few
_beside: list[subprocess.Popen[bytes]] = []  # the process of this run, while there is one


@contextmanager
def judge_beside() -> Iterator[None]:
    """For the length of a block frames are judged beside; on a machine with one core nothing would be gained."""
    if _cores() < 2:
        yield
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "checks.judge"],
        cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _beside.append(process)
    try:
        yield
    finally:
        _beside.clear()
        process.kill()  # it holds nothing
        process.communicate()


def _cores() -> int:
    """Cores this process may use; the machine's where the system does not tell, as on macOS."""
    told = getattr(os, "sched_getaffinity", None)
    return len(told(0)) if told else os.cpu_count() or 1


def validated(frame: pd.DataFrame, specs: Sequence[Spec], *, lists_rows: bool) -> list[Outcome]:
    """What `validate` gives, from the process beside if it can answer."""
    asked = pickle.dumps((frame, specs, lists_rows)) if _beside else b""
    for process in tuple(_beside):
        assert process.stdin is not None and process.stdout is not None
        too_long = threading.Timer(_PATIENCE_SECONDS, process.kill)  # one that hangs shall not hang the run
        too_long.start()
        try:
            process.stdin.write(asked)
            process.stdin.flush()
            answer: list[Outcome] | None = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            _beside.remove(process)  # it is gone: the rest is judged here
        else:
            if answer is not None:
                return answer
        finally:
            too_long.cancel()
    return validate(frame, specs, lists_rows=lists_rows)


def _serve() -> None:
    """Answer until nobody asks any more; None where judging raised."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends this process
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints does not print into the answers
    with frozen(whole_frame), suppress(EOFError, BrokenPipeError):
        while True:
            frame, specs, lists_rows = pickle.load(sys.stdin.buffer)
            try:
                answer: list[Outcome] | None = validate(frame, specs, lists_rows=lists_rows)
            except Exception:  # whatever it is, the run meets it when it judges the same itself
                answer = None
            pickle.dump(answer, answers)
            answers.flush()


if __name__ == "__main__":
    _serve()
