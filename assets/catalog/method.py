"""The typed shape of `method.toml`: every parameter of the methodology, in sections."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """Base of everything declared: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def refuse_disorder(entries: Sequence[BaseModel], kind: str, name: str, day: str) -> None:
    """Raises ValueError where an entry's day is before that of the one before it. `name`: the key it is called by."""
    for earlier, later in pairwise(entries):
        if getattr(later, day) < getattr(earlier, day):
            raise ValueError(f"{kind} {getattr(later, name)}: key '{day}': out of order")


class Weighted(Section):
    """A section whose weights (`weight_...`) sum to 1."""

    @model_validator(mode="after")
    def _sums(self) -> Self:
        total = sum(value for name, value in self if name.startswith("weight_"))
        if round(total, 9) != 1.0:
            raise ValueError(f"section '{type(self).__name__.lower()}': weights sum to {total:g}, not 1")
        return self


class MethodVersion(Section):
    """One version of the method: the hash of its parameters, its first day, and what changed with it."""

    method_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    method_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    in_force_since: dt.date
    note: Annotated[str, Field(min_length=11)]


class MethodVersions(Section):
    """All of them, oldest first."""

    versions: Annotated[tuple[MethodVersion, ...], Field(alias="version")]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        refuse_disorder(self.versions, "version", "method_version", "in_force_since")
        return self


class Grid(Section):
    start: dt.date


class RowKinds(Section):
    """When a month-end stops being provisional, and until when a run may freeze it."""

    provisional_days: Count
    freeze_within_days: Count


class Percentile(Section):
    minimum_history: Count
    value_decimals: Count


class Changes(Section):
    daily_lookback_days: Count
    weeks_in_year: Count
    weeks_in_half_year: Count


class Coverage(Section):
    minimum: Share
    decimals: Count


class Valuation(Weighted):
    """Weights of the blocks: mean of the five ranks, drawdown, rank of the twelve-month return."""

    weight_ranks: Share
    weight_drawdown: Share
    weight_return: Share
    drawdown_floor_pct: Annotated[float, Field(lt=0.0)]


class Economy(Weighted):
    weight_unemployment: Share
    weight_growth: Share
    weight_momentum: Share
    sahm_divisor_pp: Annotated[float, Field(gt=0.0)]
    claims_divisor_pct: Annotated[float, Field(gt=0.0)]


class Credit(Weighted):
    weight_spreads: Share
    weight_nfci: Share
    weight_bank_credit: Share


class Inflation(Section):
    floor_pct: float
    width_pp: Annotated[float, Field(gt=0.0)]


class Bubble(Section):
    enter_score: Share
    enter_valuation: Share
    enter_credit: Share
    leave_score: Share
    leave_valuation: Share


class Depression(Section):
    enter_score: Share
    enter_economy: Share
    enter_credit: Share
    leave_score: Share
    fast_sahm_gap_pp: float
    fast_claims_change_pct: float


class State(Section):
    confirmation_months: Count
    bubble: Bubble
    depression: Depression


class Stance(Section):
    rate_change_pp: float
    rate_window_months: Count
    impulse_pct_gdp: float
    announcement_horizon_days: Count
    ledger_stale_days: Count


class PolicyLevel(Section):
    """Rule of Taylor (1993) for several neutral real rates, and the band of the real policy rate in words."""

    first_year: Count
    neutral_from_pct: float
    neutral_to_pct: float
    neutral_real_rates_pct: tuple[float, ...]
    inflation_target_pct: float
    inflation_weight: float
    output_gap_weight: float
    base_year_tolerance_pct: Annotated[float, Field(gt=0.0)]


class BalanceSheet(Section):
    first_change_date: dt.date
    leaning_limit_pp: float


class MeltUp(Section):
    impulse_pct_gdp: float
    return_12m_pct: float


class Monetisation(Section):
    building_from_pct: float
    active_from_pct: float
    dominant_from_pct: float
    minimum_deficit_pct_gdp: float
    distortion_low: float
    distortion_high: float
    near_limit_pp: float
    coordination_impulse_pct_gdp: float
    coordination_deficit_pct_gdp: float


class Sahm(Section):
    average_months: Count
    average_minimum_months: Count
    low_months: Count
    low_minimum_months: Count


class Claims(Section):
    average_weeks: Count


class Equity(Section):
    price_history_start: dt.date
    at_high_drawdown_pct: float
    cape_quarters: Count


class Verdict(Section):
    """Limits of hot and cold per condition, for the four-way table; between them is `between`."""

    valuation_hot: Share
    valuation_cold: Share
    economy_hot: Share
    economy_cold: Share
    credit_hot: Share
    credit_cold: Share
    inflation_target_pct: float
    inflation_fall_pp: float
    inflation_window_months: Count


class Robustness(Section):
    near_threshold: Share
    threshold_shifts: tuple[float, ...]
    valuation_rank_shares: tuple[Share, ...]
    spread_weights: tuple[Share, ...]
    confirmation_months: tuple[Count, ...]
    weight_draws: Count
    weight_draw_spread: Share
    weight_draw_seed: Count
    effective_weight_gap: Share
    era_starts: tuple[dt.date, ...]


class Variants(Section):
    """Choices that were tested and not taken; no label depends on them."""

    unemployment_gap_months: Count
    unemployment_gap_minimum_months: Count
    rate_windows_months: tuple[Count, ...]


class ForwardReturns(Section):
    horizons_months: tuple[Count, ...]
    minimum_closed_spells: Count
    bootstrap_draws: Count
    bootstrap_seed: Count
    interval_level: Share


class MoneyAndRates(Section):
    correlation_months: Count
    correlation_minimum_months: Count


class GoldAndInflation(Section):
    start: dt.date
    minimum_months: Count


class EventStudy(Section):
    horizons_months: tuple[Count, ...]
    minimum_placebos: Count


class LongRecord(Section):
    start: dt.date
    first_label: dt.date
    recession_within_months: Count
    months_after: Count


class Panel(Section):
    """The rule once a year in several countries; `war_years`: first and last year of each war."""

    minimum_history_years: Count
    inflation_years: Count
    horizon_years: Count
    war_years: tuple[tuple[int, int], ...]


class Attractiveness(Section):
    inflation_scenarios_pct: tuple[float, ...]


class Destination(Section):
    rolling_months: Count
    decomposition_months: Count
    valuation_months: Count
    equity_age_days: Count
    bond_maturity_years: Count
    signals_needed: Count
    leadership_pct: float


class Maturity(Section):
    shortening_from_pp: float


class QePhases(Section):
    post_published_on: dt.date
    months_after: Count


# Sections that no label rests on, so that the hash of the rows already published stays what it was.
EVIDENCE = ("long_record", "panel")


class Method(Section):
    """All parameters of one version of the method."""

    method_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    grid: Grid
    row_kinds: RowKinds
    percentile: Percentile
    changes: Changes
    coverage: Coverage
    valuation: Valuation
    economy: Economy
    credit: Credit
    inflation: Inflation
    state: State
    stance: Stance
    policy_level: PolicyLevel
    balance_sheet: BalanceSheet
    melt_up: MeltUp
    monetisation: Monetisation
    sahm: Sahm
    claims: Claims
    equity: Equity
    verdict: Verdict
    robustness: Robustness
    variants: Variants
    forward_returns: ForwardReturns
    money_and_rates: MoneyAndRates
    gold_and_inflation: GoldAndInflation
    event_study: EventStudy
    long_record: LongRecord
    panel: Panel
    attractiveness: Attractiveness
    destination: Destination
    maturity: Maturity
    qe_phases: QePhases

    @property
    def method_sha256(self) -> str:
        """SHA-256 of the canonical JSON of every parameter but the version and EVIDENCE: same numbers, same hash."""
        parameters = self.model_dump(mode="json", exclude={"method_version", *EVIDENCE})
        canonical = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
