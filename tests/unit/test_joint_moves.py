"""What-if: its numbers are those of a computation of every date from an archive that has the moved figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assets.catalog.moves import MoveError
from assets.compute.archive import with_vintage
from assets.compute.calendar import days
from assets.compute.diagnostics.joint_moves import Baseline, baseline_of, newest, what_if
from assets.compute.registry import Computation
from tests.helpers import on_sample

# without equities, which move figures and not series; "+0pp" stops what follows the ten-year yield
CASES = [
    *(("2026-09-30", move) for move in ("UNRATE=6.5", "CPIAUCSL=+1%", "DFEDTARU=-75bp", "WALCL=+12%")),
    ("2026-09-30", "DGS10=-1pp DFII10=+0pp GS10=+0pp EXPINF10YR=+0pp UNRATE=+1pp EBP=+2pp"),
    ("2020-04-17", "UNRATE=+1pp GDP=-4% NFCI=0.8 CP=-20% TOTBKCR=+3%"),
]


def base_of(run: Computation) -> Baseline:
    return baseline_of(run.view, run.regime)


@pytest.mark.parametrize(("date", "written"), CASES)
def test_scores_stance_and_contributions_are_those_of_a_complete_computation(date: str, written: str) -> None:
    run, moves = on_sample(date).run, written.split()
    base, archive, day = base_of(run), run.archive, run.grid.as_of[-1]
    effect = what_if(base, moves)
    found = effect.after
    assert effect.figures or "no figure changed" in effect.notes[-1]
    for move in moves:
        series_id, change = move.split("=")
        period, value = newest(base.view, series_id) or (None, np.nan)
        moved = {
            "%": lambda v, x: v * (1 + x / 100),
            "pp": lambda v, x: v + x,
            "bp": lambda v, x: v + x / 100,
        }
        unit = next((unit for unit in moved if change.endswith(unit)), "")
        size = float(change.removesuffix(unit))
        at = day if series_id == "DFEDTARU" else period
        archive = with_vintage(archive, series_id, at, day, moved[unit](value, size) if unit else size)
    complete = Computation(archive, run.grid, run.catalog, run.profile).regime
    assert found.regime.bubble_score[0] == pytest.approx(complete.bubble_score[-1], abs=1e-12)
    assert found.stance == complete.stance.stance[-1]
    is_month_end = complete.grid.is_month_end[-1]
    state = (complete.states.state if is_month_end else complete.states.provisional)[-1]
    assert found.state == state
    for name, condition in complete.conditions.items():
        mine = found.regime.conditions[name]
        np.testing.assert_allclose(mine.weights[:, 0], condition.weights[:, -1], atol=1e-12)
        for one, other in zip(mine.components, condition.components, strict=True):
            np.testing.assert_allclose(one.score[0], other.score[-1], atol=1e-12, err_msg=one.name)


def test_a_component_without_a_figure_takes_a_level_and_no_change() -> None:
    base = base_of(on_sample().run)
    with pytest.raises(MoveError, match="cape has no figure on the date: give its level"):
        what_if(base, ["cape=-20%"])
    assert not np.isnan(what_if(base, ["sahm_gap=0.4"]).after.regime.bubble_score[0])


def test_a_view_of_an_earlier_date_moves_the_figures_known_then() -> None:
    view = replace(on_sample().run.view, as_of=days("2009-03-31"))
    period, value = newest(view, "UNRATE") or (None, None)
    assert (str(period), value) == ("2009-02-01", 8.3)
