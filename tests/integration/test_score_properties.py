"""Order, numbering and the future change nothing in the past; an input taken away changes the score by the
renormalisation of the rest alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.archive import BITS, Archive, Captures, resolve
from assets.compute.conditions import SCORED, Component, Condition
from assets.compute.diagnostics.distance import distance_to_flip
from assets.compute.grid import build_grid
from assets.compute.reading import Reading
from assets.compute.regime import build_regime
from assets.compute.registry import Computation
from tests.helpers import SAMPLE_AS_OF, on_sample, sample_vintages

EXACT = 1e-12


def computed_from(archive: Archive) -> Computation:
    catalog = on_sample().catalog
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64(SAMPLE_AS_OF, "D"))
    return Computation(archive, grid, catalog, "sample")


def same_labels(frame: pd.DataFrame, rows: int | None = None) -> None:
    expected = on_sample().frame.reset_index()[list(frame.columns)]
    n = len(expected) if rows is None else rows
    pd.testing.assert_frame_equal(frame.iloc[:n], expected.iloc[:n])


def test_the_order_of_rows_and_the_numbering_of_series_mean_nothing() -> None:
    captures = Captures.from_frame(sample_vintages().sample(frac=1.0, random_state=7))
    n = len(captures.codes)
    shifted = {name: (code + 5) % n for name, code in captures.codes.items()}
    code = captures.key >> (2 * BITS)
    key = captures.key + (((code + 5) % n - code) << (2 * BITS))
    renumbered = Captures.from_keys(shifted, key, captures.value, captures.captured, captures.source)
    same_labels(computed_from(resolve(renumbered)).table("regime"))


@pytest.mark.parametrize(("month", "factor"), [(160, 0.6), (300, 1.4), (480, 1.9)])
def test_the_future_changes_nothing_in_the_past(month: int, factor: float) -> None:
    """After a month-end every figure is revised at random and every later one invented."""
    frame = sample_vintages()
    limit = pd.Timestamp(on_sample().frame.index[month])
    drawn = np.random.default_rng(month).uniform(0.5, 1.5, len(frame))
    later = frame.assign(value=frame["value"] * factor * drawn)
    later["realtime_start"] = later["realtime_start"].where(
        later["realtime_start"] > limit, limit + pd.Timedelta(days=1)
    ).astype(frame["realtime_start"].dtype)  # fmt: skip
    known = frame[frame["realtime_start"] <= limit]
    changed = computed_from(Archive.from_frame(pd.concat([known, later], ignore_index=True)))
    frame = changed.table("regime")
    same_labels(frame, rows=month + 1)
    assert not np.array_equal(
        frame["bubble_score"][month + 1 :], on_sample().frame["bubble_score"][month + 1 :], True
    )


@pytest.mark.parametrize(
    "table",
    ["score_attribution", "regime_changes", "distance_to_flip", "parameter_sensitivity", "method_variants"],
)
def test_diagnostics_of_the_past_are_the_same_in_a_later_run(table: str) -> None:
    early, late = on_sample("2015-06-30"), on_sample()
    built = [c.run.table(table) for c in (early, late)]
    past = built[1][built[1]["as_of_date"] <= "2015-06-30"].reset_index(drop=True)
    pd.testing.assert_frame_equal(built[0].reset_index(drop=True), past, check_dtype=False)


def test_a_run_before_the_first_score_has_distances_of_the_rate_only() -> None:
    early = on_sample("1990-06-15")
    frame = distance_to_flip(early.regime)
    assert set(frame["condition"]) <= {"stance"}


def without(component: Component, everything: dict[str, Reading]) -> dict[str, Reading]:
    reading = everything[component.column]
    return {
        **everything,
        component.column: reading.where(np.zeros(len(reading.value), dtype=bool), "taken_away"),
    }


def renormalised(condition: Condition, k: int) -> np.ndarray:
    """The condition's score without component `k`, from its blocks by the rule of the method, date by date."""
    position, total, weight = 0, np.zeros(len(condition.score)), np.zeros(len(condition.score))
    for block in condition.blocks:
        rest = [c.score for n, c in enumerate(block.components, start=position) if n != k]
        position += len(block.components)
        if not rest:
            continue
        scores = np.stack(rest)
        there = ~np.isnan(scores)
        if block.rule == "min":
            value = np.where(there.any(axis=0), np.where(there, scores, np.inf).min(axis=0), 0.0)
        else:
            value = np.where(there, scores, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        total += np.where(there.any(axis=0), block.weight * value, 0.0)
        weight += np.where(there.any(axis=0), block.weight, 0.0)
    return np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)


@pytest.mark.parametrize(
    ("condition", "k"),
    [(name, k) for name in SCORED for k in range(len(on_sample().regime.conditions[name].components))],
)
def test_an_input_taken_away_changes_the_score_by_the_renormalisation_of_the_rest(
    condition: str, k: int
) -> None:
    computed = on_sample()
    before = computed.regime.conditions[condition]
    component = before.components[k]
    labels = build_regime(without(component, dict(computed.readings)), computed.grid, computed.catalog)
    after = labels.conditions[condition]
    expected = renormalised(before, k)
    scored = ~np.isnan(labels.bubble_score)
    np.testing.assert_allclose(after.score[scored], expected[scored], atol=EXACT, rtol=0)
    change = labels.bubble_score - computed.regime.bubble_score
    np.testing.assert_allclose(
        change[scored], ((expected - before.score) / len(SCORED))[scored], atol=EXACT, rtol=0
    )
    gone = ~np.isnan(computed.regime.bubble_score) & ~scored
    assert (after.coverage[gone] < computed.catalog.method.coverage.minimum).all()  # never a neutral input
