"""Rules of `regime`: the state moves as the method says, the row agrees with the tables it came from.

Belongs here: judgement that compares rows or tables. Does not belong here: rules within one row (`labels.py`), rules
generated from the declaration.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.method import State
from assets.catalog.models import Catalog
from assets.compute.grid import PROVISIONAL
from checks.suites.continuity import continuity_rules
from checks.suites.labels import label_rules
from checks.suites.measures import Tables, beside, days_between, differs, flag, only_where, row_before, truth
from checks.suites.rules import IN_SET, Rule, never

TABLE = "regime"
BUBBLE, DEPRESSION, INDETERMINATE = "bubble", "depression", "indeterminate"
SAHM, CLAIMS = "activity_inflation.sahm_gap_pp", "activity_inflation.claims_change_pct"
_STATE = ("as_of_date", "is_month_end", "condition_state")
_SCORES = ("bubble_score", "valuation_score", "economy_score", "credit_score")
_BASES = ("earnings_yield_basis", "equity_price_basis")
_METHOD = "Compare assets/compute/state.py with docs/methodology.md; thresholds come from method.toml only."
_TOGETHER = "The tables come from different runs: materialise the derived tables and the regime again."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Moves of the state, spells, and agreement with the derived tables."""
    state = catalog.method.state
    return (
        *label_rules(catalog),
        *continuity_rules(),
        never(
            "row_kind__provisional_inside_a_month",
            ("as_of_date", "is_month_end", "row_kind"),
            lambda f, _: flag(f["row_kind"] != PROVISIONAL, judged=~truth(f["is_month_end"])),
            statement="a run date inside a month is provisional",
            what_to_do="Materialise regime/regime again.",
        ),
        never(
            "condition_state__indeterminate_without_score",
            (*_STATE, "bubble_score"),
            _indeterminate,
            statement="a month-end is indeterminate exactly when it has no score",
            what_to_do=_METHOD,
        ),
        never(
            "condition_state__within_leaving_limits",
            (*_STATE, "bubble_score", "valuation_score"),
            lambda f, _: _beyond_leaving(f, state),
            statement="a bubble or a depression is left as soon as a leaving limit is passed",
            what_to_do=_METHOD,
        ),
        never(
            "condition_state__entered_as_confirmed",
            (*_STATE, *_SCORES, SAHM, CLAIMS),
            lambda f, t: _entered_early(f, t, state),
            statement="a bubble or a depression begins only when its conditions of entry are confirmed",
            what_to_do=_METHOD,
        ),
        never(
            "condition_state__run_date_keeps_month_end",
            (*_STATE, "bubble_score"),
            _run_date_moved,
            statement="a run date inside a month has the state of the last month-end",
            what_to_do=_METHOD,
        ),
        never(
            "provisional_condition__on_run_date_only",
            ("provisional_condition", "is_month_end"),
            lambda f, _: only_where(f["provisional_condition"], ~truth(f["is_month_end"])),
            statement="a provisional condition stands beside a run date inside a month, and nowhere else",
            what_to_do=_METHOD,
        ),
        never(
            "score_p05__around_the_score",
            ("score_p05", "score_p95", "bubble_score"),
            lambda f, _: flag(
                ~(f["score_p05"] <= f["score_p95"]) | f["bubble_score"].isna(),
                judged=f["bubble_score"].notna() | f["score_p05"].notna(),
            ),
            statement="a score, and only a score, has a range over weights, from low to high",
            what_to_do="Look at assets/compute/robustness.py.",
        ),
        never(
            "regime_since__first_of_its_spell",
            ("as_of_date", "regime", "regime_since"),
            lambda f, _: differs(f["regime_since"], _spell_start(f)),
            statement="the label began with the first row of its unbroken run",
            what_to_do="Materialise regime/regime again.",
        ),
        never(
            "is_stance_provisional__old_ledger",
            ("as_of_date", "is_stance_provisional"),
            lambda f, _: _ledger_age_misstated(f, catalog),
            statement="the stance is provisional when the ledger was last checked too long before the date",
            what_to_do="Compare last_checked in assets/catalog/policy_events.toml with the rows.",
        ),
        _test("balance_sheet_test", "fed_assets_growth_26w_pct", "excess_growth_pp", catalog),
        _test("reserves_test", "reserve_balances_growth_26w_pct", "reserve_excess_growth_pp", catalog),
        _as_in("monetisation_band", "monetisation.monetisation_band"),
        _as_in("is_spread_missing", "credit_spreads.is_spread_missing"),
        _as_in("earnings_yield_basis", "equity_risk_premium.earnings_yield_basis"),
        _as_in("equity_price_basis", "equity_risk_premium.equity_price_basis"),
        never(
            "basis_changed__with_label_and_basis",
            ("as_of_date", "regime", "basis_changed", *_BASES),
            lambda f, _: flag(truth(f["basis_changed"]) != _with_another_basis(f)),
            statement="a change of basis is flagged exactly where the label changed with it",
            what_to_do="Look at bases_of in assets/compute/regime.py.",
        ),
        _parameter("method_version", catalog.method.method_version),
        _parameter("method_sha256", catalog.method.method_sha256),
    )


def _indeterminate(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    broken = (frame["condition_state"] == INDETERMINATE) != frame["bubble_score"].isna()
    return flag(broken, judged=frame["is_month_end"])


def _beyond_leaving(frame: pd.DataFrame, rules_of: State) -> pd.Series:
    score, bubble, depression = frame["bubble_score"], rules_of.bubble, rules_of.depression
    out_of_bubble = (score < bubble.leave_score) | (frame["valuation_score"] < bubble.leave_valuation)
    held_too_long = ((frame["condition_state"] == BUBBLE) & out_of_bubble) | (
        (frame["condition_state"] == DEPRESSION) & (score > depression.leave_score)
    )
    return flag(held_too_long, judged=frame["is_month_end"])


def _entered_early(frame: pd.DataFrame, tables: Tables, rules_of: State) -> pd.Series:
    months = frame[truth(frame["is_month_end"])].sort_values("as_of_date")
    hot, cold = _conditions_of_entry(months, rules_of)
    fast = (beside(months, tables, SAHM) >= rules_of.depression.fast_sahm_gap_pp) | (
        beside(months, tables, CLAIMS) >= rules_of.depression.fast_claims_change_pct
    )
    state = months["condition_state"]
    entered = state.ne(state.shift()) & (np.arange(len(months)) > 0)
    confirmed_hot, confirmed_cold = (_in_a_row(c, rules_of.confirmation_months) for c in (hot, cold))
    too_early = (entered & (state == BUBBLE) & ~confirmed_hot) | (
        entered & (state == DEPRESSION) & ~(confirmed_cold | (cold & fast))
    )
    return flag(too_early).reindex(frame.index)


def _conditions_of_entry(months: pd.DataFrame, rules_of: State) -> tuple[pd.Series, pd.Series]:
    bubble, depression = rules_of.bubble, rules_of.depression
    score, valuation, economy, credit = (months[name] for name in _SCORES)
    hot = (
        (score >= bubble.enter_score)
        & (valuation >= bubble.enter_valuation)
        & (credit >= bubble.enter_credit)
    )
    weak = (economy <= depression.enter_economy) | (credit <= depression.enter_credit)
    return hot, (score <= depression.enter_score) & weak


def _in_a_row(condition: pd.Series, months: int) -> pd.Series:
    return condition.astype("float64").rolling(months).sum() == months


def _run_date_moved(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    kept = frame["condition_state"] == row_before(frame, "condition_state")
    right = kept.where(frame["bubble_score"].notna(), frame["condition_state"] == INDETERMINATE)
    return flag(~truth(right), judged=~truth(frame["is_month_end"]))


def _spell_start(frame: pd.DataFrame) -> pd.Series:
    ordered = frame.sort_values("as_of_date")
    spell = ordered["regime"].ne(ordered["regime"].shift()).cumsum()
    return pd.Series(ordered.groupby(spell)["as_of_date"].transform("min")).reindex(frame.index)


def _with_another_basis(frame: pd.DataFrame) -> pd.Series:
    """The row before is the month-end before: a run date inside a month is the last row of all."""
    another = pd.Series(False, frame.index)
    for name in _BASES:
        before = row_before(frame, name)
        another |= truth(frame[name] != before) & frame[name].notna() & before.notna()
    before = row_before(frame, "regime")
    return another & before.notna() & truth(frame["regime"] != before)


def _ledger_age_misstated(frame: pd.DataFrame, catalog: Catalog) -> pd.Series:
    checked = pd.Series(pd.Timestamp(catalog.policy_events.last_checked), frame.index)
    is_old = days_between(checked, frame["as_of_date"]) > catalog.method.stance.ledger_stale_days
    return flag(truth(frame["is_stance_provisional"]) != is_old)


def _test(column: str, growth: str, excess: str, catalog: Catalog) -> Rule:
    growth, excess = f"reserve_growth.{growth}", f"reserve_growth.{excess}"
    limit = catalog.method.balance_sheet.leaning_limit_pp

    def expected(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        rate, beyond = beside(frame, tables, growth), beside(frame, tables, excess)
        named = np.select(
            [rate < 0, beyond <= 0, beyond <= limit], ["shrinking", "technical", "leaning"], "stimulative"
        )
        unknown = rate.isna() | (beyond.isna() & (rate >= 0))
        return pd.Series(named, frame.index, dtype=object).mask(unknown)

    return never(
        f"{column}__as_growth_says",
        ("as_of_date", column, growth, excess),
        lambda f, t: differs(f[column], expected(f, t)),
        statement=f"the test follows from growth and excess growth, {limit:g} points being the limit of leaning",
        what_to_do=_TOGETHER,
    )


def _as_in(column: str, origin: str) -> Rule:
    return never(
        f"{column}__as_in_{origin.split('.')[0]}",
        ("as_of_date", column, origin),
        lambda f, t: differs(f[column], beside(f, t, origin)),
        statement=f"the row says what {origin} says",
        what_to_do=_TOGETHER,
    )


def _parameter(column: str, value: str) -> Rule:
    return Rule(
        f"{column}__in_force",
        "critical",
        IN_SET,
        {"column": column, "value_set": [value]},
        "every row was computed with the parameters in force",
        "Materialise regime/regime again: rows of another method were left behind.",
        (column,),
    )
