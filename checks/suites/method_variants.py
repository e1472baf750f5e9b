"""Rules of `method_variants`: the alternatives differ from the method where they say, and nowhere else.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.measures import beside, differs, distance, flag
from checks.suites.rules import Rule, never, within

TABLE = "method_variants"
_TOGETHER = "Materialise regime/regime again: its tables come from different runs."
_STANCE_ONLY = ("rate_window_9m", "rate_window_12m")
_SCORE_KEPT = (*_STANCE_ONLY, "without_hysteresis")


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Agreement with `regime` where the variant changes nothing."""
    return (
        never(
            "is_same_regime__as_compared",
            ("as_of_date", "regime_variant", "is_same_regime", "regime.regime"),
            lambda f, t: differs(f["is_same_regime"], f["regime_variant"] == beside(f, t, "regime.regime")),
            statement="the flag says whether the label is the published one",
            what_to_do=_TOGETHER,
        ),
        never(
            "condition_variant__kept_by_rate_windows",
            ("as_of_date", "variant", "condition_variant", "regime.condition_state"),
            lambda f, t: flag(
                f["condition_variant"] != beside(f, t, "regime.condition_state"),
                judged=f["variant"].isin(_STANCE_ONLY),
            ),
            statement="another window of the rate changes no state",
            what_to_do=_TOGETHER,
        ),
        never(
            "stance_variant__kept_by_the_others",
            ("as_of_date", "variant", "stance_variant", "regime.stance"),
            lambda f, t: flag(
                f["stance_variant"] != beside(f, t, "regime.stance"), judged=~f["variant"].isin(_STANCE_ONLY)
            ),
            statement="other weights change no stance",
            what_to_do=_TOGETHER,
        ),
        within(
            "variant_score__kept_where_weights_are",
            ("as_of_date", "variant", "variant_score", "regime.bubble_score"),
            lambda f, t: distance(f["variant_score"], beside(f, t, "regime.bubble_score")).where(
                f["variant"].isin(_SCORE_KEPT)
            ),
            maximum=1e-12,
            statement="a variant that keeps the weights keeps the score",
            what_to_do=_TOGETHER,
        ),
    )
