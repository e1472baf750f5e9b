"""kill -9 at any moment of a run: readers keep the old release or have the new one, and the next run completes.

`make test-kill` kills 200 runs; the slow tests a few. KILLS is their number, KILL_SEED draws other moments.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from assets.warehouse.release_folder import damaged, releases
from tests.faults.kills import Moment, Place, Seen, moments

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("KILL_SEED", "20260601"))


@pytest.mark.slow
@pytest.mark.timeout(300 + 120 * KILLS)
def test_a_run_killed_at_any_moment_leaves_the_old_release_or_the_new_one(tmp_path: Path) -> None:
    place, came_to = Place(tmp_path), Counter[str]()
    assert place.run() == 0  # the first one reads the figures for the first time
    place.step()
    seconds, seen = place.measured_run(), place.seen()
    for number, moment in enumerate(moments(KILLS, SEED, seconds), 1):
        status = place.run(moment)
        try:
            after = place.seen()
            outcome = compared(place, seen, after, moment)
        except BaseException as error:
            error.add_note(f"kill {number} of {KILLS}, seed {SEED}: {moment}, exit {status}")
            raise
        came_to[f"{moment.after}: {outcome if status else 'ended by itself'}"] += 1
        print(
            f"{number}/{KILLS} {moment.after} +{moment.seconds:.2f} s: {outcome}, exit {status}", flush=True
        )
        if after.release_id != seen.release_id:
            place.step()
        seen = after
    assert place.run() == 0
    assert_nothing_is_left(place, seen)
    print(f"a run takes {seconds:.0f} processor seconds; {KILLS} kills:", dict(sorted(came_to.items())))


def compared(place: Place, before: Seen, after: Seen, moment: Moment) -> str:
    """Which release stands; raises when it is neither, or when the warehouse has lost a row."""
    lost = {name: rows for name, rows in before.rows.items() if after.rows.get(name, 0) < rows}
    assert lost == {}, f"rows before: {lost}"
    place.assert_whole(after)
    if after.release_id == before.release_id:
        assert after.sha256 == before.sha256
        return "the old release"
    assert after.release_id > before.release_id
    place.assert_reproduced(after.release_id)
    return "the new release"


def assert_nothing_is_left(place: Place, before: Seen) -> None:
    """After a run that was not killed: its release, all releases whole, no file of a killed run."""
    seen = place.seen()
    assert seen.release_id > before.release_id
    place.assert_whole(seen)
    place.assert_reproduced(seen.release_id)
    assert [folder.name for folder in releases(place.published) if damaged(folder)] == []
    assert releases(place.published)[-1].name == seen.release_id
    assert sorted(path.name for path in place.published.parent.rglob(".*")) == []
    assert sorted(path.name for path in place.data.iterdir()) == [
        "published",
        "run.lock",
        "sample.warehouse.duckdb",
    ]
