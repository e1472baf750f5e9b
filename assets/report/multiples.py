"""The small multiples, as a list: one panel per question, the same years below each other.

Belongs here: which columns a panel draws and how it is named. Does not belong here: drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets.report.charts.base import Line, year
from assets.report.charts.lines import FULL, PANEL
from assets.report.figures import Figure, lines_figure
from assets.report.reading import Release

SOLID: tuple[int, ...] = ()
DASHED, DOTTED = (6, 3), (2, 2)


@dataclass(frozen=True)
class Drawn:
    """A line of a panel: its column, name, colour token and dash."""

    column: str  # table.column
    name: str
    color: str
    dash: tuple[int, ...] = SOLID
    decimals: int = 2


@dataclass(frozen=True)
class Panel:
    """A panel: its lines share one unit."""

    key: str
    title: str
    what: str
    unit: str
    lines: Sequence[Drawn]
    limits: Sequence[str] = ()  # parameters drawn as dashed lines
    note: str = ""


MONEY = Panel(
    "money",
    "Money supply against the real short rate",
    "M2, % on the year before; real short rate, % a year.",
    "%",
    (
        Drawn("money_and_rates.m2_yoy_pct", "M2, year on year", "stim"),
        Drawn("money_and_rates.real_short_rate_pct", "3-month bill less CPI inflation", "hot", DASHED),
    ),
)
MARKETS = (
    Panel(
        "premium",
        "Equity risk premium",
        "Earnings yield, %, and what it exceeds a 10-year yield by, percentage points.",
        "%",
        (
            Drawn("equity_risk_premium.earnings_yield_pct", "earnings yield", "ink"),
            Drawn("equity_risk_premium.erp_vs_real_10y_pp", "over the real 10-year", "cold", DASHED),
            Drawn("equity_risk_premium.erp_vs_nominal_10y_pp", "over the nominal 10-year", "hot", DOTTED),
        ),
        note="The level rests on the basis its row names: read the rank, not the level.",
    ),
    Panel(
        "yields",
        "Ten-year yields",
        "10-year Treasury yield, nominal and real, % a year.",
        "%",
        (
            Drawn("real_yields.nominal_10y_pct", "nominal", "ink"),
            Drawn("real_yields.real_10y_pct", "real", "stim", DASHED),
        ),
        note="Real: TIPS from January 2003, before that nominal less expected inflation.",
    ),
    Panel(
        "spreads",
        "Credit spreads",
        "Corporate bond spreads and the excess bond premium, percentage points.",
        "pp",
        (
            Drawn("credit_spreads.gz_spread_pp", "Gilchrist-Zakrajsek", "ink"),
            Drawn("credit_spreads.baa_10y_pp", "Baa less 10-year", "cold", DASHED),
            Drawn("credit_spreads.hqm_10y_spread_pp", "high quality less 10-year", "cold", DOTTED),
            Drawn("credit_spreads.ebp_pp", "excess bond premium", "hot", DASHED),
        ),
    ),
    Panel(
        "conditions",
        "Financial conditions",
        "National Financial Conditions Index; 0 is average, positive is tighter.",
        "sd",
        (Drawn("credit_spreads.nfci_index", "NFCI", "ink"),),
    ),
)
FED = (
    Panel(
        "assets",
        "Balance sheet and reserves",
        "Total assets of the Federal Reserve and reserve balances, % of GDP.",
        "% of GDP",
        (
            Drawn("reserve_growth.fed_assets_pct_gdp", "Fed assets", "ink", decimals=1),
            Drawn("reserve_growth.reserve_balances_pct_gdp", "reserves", "stim", DASHED, 1),
        ),
    ),
    Panel(
        "impulse",
        "Balance-sheet impulse",
        "Change of the balance sheet over half a year, at a yearly rate, % of GDP.",
        "% of GDP",
        (Drawn("reserve_growth.balance_sheet_impulse_pct_gdp", "impulse", "stim"),),
        ("stance.impulse_pct_gdp", "-stance.impulse_pct_gdp"),
        "Dashed: beyond it the balance sheet counts as moving.",
    ),
    Panel(
        "monetisation",
        "Monetisation",
        "Fed purchases of Treasuries over a year, % of the change of the public debt and of the deficit.",
        "%",
        (
            Drawn("monetisation.monetisation_share_pct", "of new public debt", "ink", decimals=0),
            Drawn("monetisation.monetisation_share_of_deficit_pct", "of the deficit", "gold", DASHED, 0),
        ),
        ("monetisation.building_from_pct", "monetisation.active_from_pct", "monetisation.dominant_from_pct"),
        "Dashed: bands building, active and dominant.",
    ),
    Panel(
        "deficit",
        "Federal deficit",
        "Federal deficit of twelve months, % of GDP; a surplus is negative.",
        "% of GDP",
        (Drawn("fiscal_and_debt.deficit_12m_pct_gdp", "deficit", "ink", decimals=1),),
        ("monetisation.minimum_deficit_pct_gdp",),
        "Dashed: below it no band of monetisation applies.",
    ),
)
PANELS = (*MARKETS, *FED)


def panel_figure(release: Release, panel: Panel) -> Figure | None:
    """The panel drawn; None where the profile has none of its lines."""
    lines = [_line(release, drawn, panel.unit) for drawn in panel.lines]
    limits = [
        (-1 if name.startswith("-") else 1) * release.parameters[name.removeprefix("-")]
        for name in panel.limits
    ]
    columns = [drawn.column for drawn, line in zip(panel.lines, lines, strict=True) if line.last]
    sizes, since = (FULL, None) if panel is MONEY else (PANEL, _first_year(release))
    return lines_figure(
        release, panel.key, panel.title, lines, panel.what, columns, sizes, limits, panel.note, since
    )


def _first_year(release: Release) -> float:
    """All panels begin with the first month-end of the release, so that years stand below each other."""
    return year(release.row("SELECT min(as_of_date) AS first FROM regime")["first"])


def _line(release: Release, drawn: Drawn, unit: str) -> Line:
    table, column = drawn.column.split(".")
    return Line(drawn.name, drawn.color, release.history(table, column), unit, drawn.dash, drawn.decimals)
