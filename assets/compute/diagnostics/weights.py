"""What each input of the score weighs in effect, beside what it is given.

Belongs here: shares of the score's variance. Does not belong here: draws over the weights (`compute/score_range.py`),
thresholds and labels (`sensitivity.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.reading import Floats
from assets.compute.regime import SCORED, Regime

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

# names of the blocks of each condition, in the order of `conditions.py`
BLOCKS = {
    "valuation": ("valuation_ranks", "equity_drawdown", "equity_return_12m"),
    "economy": ("unemployment", "real_gdp_growth", "labour_momentum"),
    "credit": ("corporate_spreads", "nfci", "real_bank_credit"),
}


@dataclass(frozen=True)
class _Part:
    """One input of the score: a condition, or a block of one."""

    level: str
    condition: str
    item: str
    nominal: float
    score: Floats
    contribution: Floats


def effective_weights(regime: Regime, catalog: Catalog) -> pd.DataFrame:
    """Columns of `effective_weights`: by era, the share of the score's variance each input explains by itself.

    First-order share = squared correlation with the score (Paruolo, Saisana, Saltelli 2013, with a linear fit); the
    effective weight is that share among its level. The covariance share adds up to 1 by itself and may be negative.
    """
    rules, rows = catalog.method.robustness, []
    parts = [*_conditions(regime), *_blocks(regime)]
    for era, first, last in _eras(regime, catalog):
        inside = (
            regime.grid.is_month_end
            & ~np.isnan(regime.bubble_score)
            & (regime.grid.as_of >= first)
            & (regime.grid.as_of <= last)
        )
        for level in ("condition", "block"):
            of_level = [p for p in parts if p.level == level]
            shares = np.array([_first_order(p.score[inside], regime.bubble_score[inside]) for p in of_level])
            total = np.nansum(shares)
            for part, share in zip(of_level, shares, strict=True):
                effective = share / total if total > 0 else np.nan
                rows.append(
                    {
                        "era": era,
                        "level": level,
                        "item": part.item,
                        "condition": part.condition,
                        "first_date": regime.grid.as_of[inside][0] if inside.any() else first,
                        "last_date": regime.grid.as_of[inside][-1] if inside.any() else last,
                        "month_ends": int(inside.sum()),
                        "nominal_weight": part.nominal,
                        "effective_weight": effective,
                        "weight_difference": effective - part.nominal,
                        "is_flagged": bool(abs(effective - part.nominal) > rules.effective_weight_gap),
                        "first_order_share": share,
                        "covariance_share": _covariance_share(
                            part.contribution[inside], regime.bubble_score[inside]
                        ),
                    }
                )
    frame = pd.DataFrame(rows)
    for name in ("first_date", "last_date"):
        frame[name] = frame[name].to_numpy(dtype="datetime64[D]").astype("datetime64[s]")
    return frame


def _eras(regime: Regime, catalog: Catalog) -> Iterator[tuple[str, np.datetime64, np.datetime64]]:
    starts = [np.datetime64(day, "D") for day in catalog.method.robustness.era_starts]
    run = regime.grid.as_of[-1]
    yield "all", starts[0], run
    for n, first in enumerate(starts):
        last = starts[n + 1] - 1 if n + 1 < len(starts) else run
        if first <= run:
            yield f"from_{first.astype('datetime64[M]')}", first, min(last, run)


def _conditions(regime: Regime) -> Iterator[_Part]:
    for name in SCORED:
        score = regime.conditions[name].score
        yield _Part("condition", name, name, 1.0 / len(SCORED), score, score / len(SCORED))


def _blocks(regime: Regime) -> Iterator[_Part]:
    for name in SCORED:
        condition, position = regime.conditions[name], 0
        for item, block in zip(BLOCKS[name], condition.blocks, strict=True):
            members = slice(position, position + len(block.components))
            position += len(block.components)
            weight = condition.weights[members].sum(axis=0) / len(SCORED)
            score = block.score
            yield _Part("block", name, item, block.weight / len(SCORED), score, weight * np.nan_to_num(score))


def _first_order(score: Floats, total: Floats) -> float:
    known = ~np.isnan(score)
    if known.sum() < 2 or np.std(score[known]) == 0 or np.std(total[known]) == 0:
        return float("nan")
    return float(np.corrcoef(score[known], total[known])[0, 1] ** 2)


def _covariance_share(contribution: Floats, total: Floats) -> float:
    if len(total) < 2 or np.var(total) == 0:
        return float("nan")
    return float(np.cov(contribution, total)[0, 1] / np.var(total, ddof=1))
