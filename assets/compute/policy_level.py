"""How high the policy rate is: in real terms, against the rule of Taylor (1993), and in words. It changes no label."""

import numpy as np

from assets.catalog.method import PolicyLevel
from assets.compute.calendar import Days
from assets.compute.reading import Floats, Texts, texts

ACCOMMODATIVE, NEUTRAL, RESTRICTIVE = "accommodative", "neutral", "restrictive"


def level_of_policy(
    policy_rate_pct: Floats,
    core_pce_yoy_pct: Floats,
    output_gap_pct: Floats,
    as_of: Days,
    rules: PolicyLevel,
) -> dict[str, Floats | Texts]:
    """Columns of `regime`: the real policy rate, its gaps to the rule, and its level with the distance to the band.

    Level and distance are absent before the first year, and without a real rate.
    """
    real = policy_rate_pct - core_pce_yoy_pct
    in_words = (as_of >= np.datetime64(f"{rules.first_year}-01-01", "D")) & ~np.isnan(real)
    named = np.select(
        [real < rules.neutral_from_pct, real > rules.neutral_to_pct], [ACCOMMODATIVE, RESTRICTIVE], NEUTRAL
    )
    to_band = np.minimum(np.abs(real - rules.neutral_from_pct), np.abs(real - rules.neutral_to_pct))
    return {
        "real_policy_rate_pct": real,
        **{
            gap_column(neutral): policy_rate_pct
            - taylor_rule(neutral, core_pce_yoy_pct, output_gap_pct, rules)
            for neutral in rules.neutral_real_rates_pct
        },
        "policy_level": texts(in_words, named),
        "policy_level_distance_pp": np.where(in_words, to_band, np.nan),
    }


def taylor_rule(neutral_pct: float, inflation_pct: Floats, gap_pct: Floats, rules: PolicyLevel) -> Floats:
    """Policy rate of the rule for a neutral real rate, percent."""
    from_target = rules.inflation_weight * (inflation_pct - rules.inflation_target_pct)
    rate: Floats = neutral_pct + inflation_pct + from_target + rules.output_gap_weight * gap_pct
    return rate


def gap_column(neutral_pct: float) -> str:
    """Column of the gap for a neutral real rate: 0.5 percent is `policy_gap_r05_pp`."""
    return f"policy_gap_r{round(10 * neutral_pct):02d}_pp"
