"""The parameters are those of method 1.0.0, and their hash changes when, and only when, a number does."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from assets.catalog.loader import load_catalog

METHOD = load_catalog().method


def test_parameters_are_those_pinned_for_their_version() -> None:
    """Whoever changes a number adds a version to method_versions.toml; publication is held without."""
    newest = load_catalog().method_versions[-1]
    assert (METHOD.method_version, METHOD.method_sha256) == (newest.method_version, newest.method_sha256)


def test_no_two_versions_share_a_name_or_a_hash() -> None:
    versions = load_catalog().method_versions
    assert (
        len({v.method_version for v in versions}) == len({v.method_sha256 for v in versions}) == len(versions)
    )


def test_weights_and_thresholds_read_as_published() -> None:
    assert METHOD.grid.start == dt.date(1985, 1, 31)
    assert METHOD.percentile.minimum_history == 120
    assert METHOD.valuation.weight_ranks == 0.65
    assert (METHOD.valuation.weight_drawdown, METHOD.valuation.weight_return) == (0.175, 0.175)
    assert (METHOD.state.bubble.enter_score, METHOD.state.bubble.leave_score) == (0.60, 0.52)
    assert (METHOD.state.depression.enter_score, METHOD.state.depression.leave_score) == (0.40, 0.44)
    assert METHOD.stance.announcement_horizon_days == 90
    assert METHOD.coverage.minimum == 0.50


def test_robustness_grid_holds_375_labels_and_the_method_itself() -> None:
    grid = METHOD.robustness
    axes = (grid.threshold_shifts, grid.valuation_rank_shares, grid.spread_weights, grid.confirmation_months)
    size = 1
    for axis in axes:
        size *= len(axis)
    assert size == 375
    assert 0.0 in grid.threshold_shifts
    assert METHOD.valuation.weight_ranks in grid.valuation_rank_shares
    assert METHOD.credit.weight_spreads in grid.spread_weights
    assert METHOD.state.confirmation_months in grid.confirmation_months


def test_hash_ignores_the_version_and_sees_every_number() -> None:
    renamed = METHOD.model_copy(update={"method_version": "9.9.9"})
    shifted = METHOD.model_copy(
        update={"melt_up": METHOD.melt_up.model_copy(update={"return_12m_pct": 11.0})}
    )
    assert renamed.method_sha256 == METHOD.method_sha256
    assert shifted.method_sha256 != METHOD.method_sha256


def test_parameters_cannot_be_changed_in_passing() -> None:
    with pytest.raises(ValidationError):
        METHOD.coverage.__setattr__("minimum", 0.1)
