"""What each input of the score weighs in effect, next to the weight it is given: shares of the score's variance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.conditions import SCORED
from assets.compute.reading import Floats
from assets.compute.regime import Regime

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
    rules, rows, parts = catalog.method.robustness, [], list(_parts(regime))
    as_of, total = regime.grid.as_of, regime.bubble_score
    for era, first, last in _eras(regime, catalog):
        inside = regime.grid.is_month_end & ~np.isnan(total) & (as_of >= first) & (as_of <= last)
        for level in ("condition", "block"):
            of_level = [part for part in parts if part.level == level]
            shares = [_first_order(part.score[inside], total[inside]) for part in of_level]
            explained = np.nansum(shares)
            for part, share in zip(of_level, shares, strict=True):
                effective = share / explained if explained > 0 else np.nan
                rows.append(
                    {
                        "era": era,
                        "level": level,
                        "item": part.item,
                        "condition": part.condition,
                        "first_date": as_of[inside][0] if inside.any() else first,
                        "last_date": as_of[inside][-1] if inside.any() else last,
                        "month_ends": int(inside.sum()),
                        "nominal_weight": part.nominal,
                        "effective_weight": effective,
                        "weight_difference": effective - part.nominal,
                        "is_flagged": bool(abs(effective - part.nominal) > rules.effective_weight_gap),
                        "first_order_share": share,
                        "covariance_share": _covariance_share(part.contribution[inside], total[inside]),
                    }
                )
    frame = pd.DataFrame(rows)
    return frame.astype({"first_date": "datetime64[s]", "last_date": "datetime64[s]"})


def _eras(regime: Regime, catalog: Catalog) -> Iterator[tuple[str, np.datetime64, np.datetime64]]:
    """Name, first and last date of the whole history and of each era that has begun by the run date."""
    starts = [np.datetime64(day, "D") for day in catalog.method.robustness.era_starts]
    run = regime.grid.as_of[-1]
    yield "all", starts[0], run
    for first, following in zip(starts, [*starts[1:], run + 1], strict=True):
        if first <= run:
            yield f"from_{first.astype('datetime64[M]')}", first, min(following - 1, run)


def _parts(regime: Regime) -> Iterator[_Part]:
    """The conditions in the score and their blocks."""
    for name in SCORED:
        condition, position, share = regime.conditions[name], 0, 1.0 / len(SCORED)
        yield _Part("condition", name, name, share, condition.score, condition.score / len(SCORED))
        for item, block in zip(BLOCKS[name], condition.blocks, strict=True):
            members = slice(position, position + len(block.components))
            position += len(block.components)
            weight = condition.weights[members].sum(axis=0) / len(SCORED)
            contribution = weight * np.nan_to_num(block.score)
            yield _Part("block", name, item, block.weight / len(SCORED), block.score, contribution)


def _first_order(score: Floats, total: Floats) -> float:
    known = ~np.isnan(score)
    if known.sum() < 2 or np.std(score[known]) == 0 or np.std(total[known]) == 0:
        return float("nan")
    return float(np.corrcoef(score[known], total[known])[0, 1] ** 2)


def _covariance_share(contribution: Floats, total: Floats) -> float:
    if len(total) < 2 or np.var(total) == 0:
        return float("nan")
    return float(np.cov(contribution, total)[0, 1] / np.var(total, ddof=1))
