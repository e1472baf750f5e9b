"""Views and table macros of the published file, with a comment on each and on every column; a 1.4 client runs them.

Their SQL is in `sql/views.sql.j2` and `sql/macros.sql.j2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb
import jinja2

from assets.catalog.models import Catalog, Column, Profile, Table
from assets.catalog.render import column_comment, comment_statements, literal, quoted
from assets.compute.archive import REAL_VINTAGES
from assets.publish.documents.examples import examples
from assets.report.sentences import templates

MONTHLY = "monthly"
_COLUMNS = {
    "regime": (
        "as_of_date", "regime", "stance", "stance_realised", "condition_state", "policy_level", "bubble_score",
        "valuation_score", "economy_score", "credit_score", "inflation_score", "distance_to_threshold", "coverage",
        "confidence", "pit_grade", "row_kind", "balance_sheet_test", "monetisation_band", "is_coordinated",
        "earnings_yield_basis", "real_policy_rate_pct", "policy_gap_r10_pp",
    ),
    "real_yields": (
        "policy_rate_pct", "nominal_10y_pct", "real_10y_pct", "expected_inflation_10y_pct",
    ),
    "activity_inflation": ("cpi_yoy_pct",),
    "reserve_growth": (
        "fed_assets_usd_bn", "reserve_balances_usd_bn", "reserve_balances_pct_gdp",
        "balance_sheet_impulse_pct_gdp",
    ),
    "monetisation": ("share_12m_pct",),
    "fiscal_and_debt": ("deficit_12m_pct_gdp", "debt_held_by_public_pct_gdp"),
    "money_and_rates": ("m2_yoy_pct",),
    "liquidity_destination": ("destination", "gold_return_12m_pct", "real_gold_usd_per_oz"),
}  # fmt: skip
# By component of regime_evidence.
_RANKED = {
    "earnings_yield": ("equity_risk_premium", "earnings_yield_pct"),
    "erp_vs_nominal_10y": ("equity_risk_premium", "erp_vs_nominal_10y_pp"),
    "erp_vs_real_10y": ("equity_risk_premium", "erp_vs_real_10y_pp"),
    "equity_value_to_gdp": ("equity_risk_premium", "equity_value_pct_gdp"),
    "cape": ("equity_risk_premium", "cape"),
    "equity_drawdown": ("equity_risk_premium", "equity_drawdown_pct"),
    "equity_return_12m": ("equity_risk_premium", "equity_return_12m_pct"),
    "unemployment": ("activity_inflation", "unemployment_rate_pct"),
    "real_gdp_growth": ("activity_inflation", "real_gdp_yoy_pct"),
    "sahm_gap": ("activity_inflation", "sahm_gap_pp"),
    "claims_change": ("activity_inflation", "claims_change_pct"),
    "core_pce_inflation": ("activity_inflation", "core_pce_yoy_pct"),
    "excess_bond_premium": ("credit_spreads", "ebp_pp"),
    "baa_10y_spread": ("credit_spreads", "baa_10y_pp"),
    "hy_oas": ("credit_spreads", "hy_oas_pct"),
    "gz_spread": ("credit_spreads", "gz_spread_pp"),
    "hqm_10y_spread": ("credit_spreads", "hqm_10y_spread_pp"),
    "nfci": ("credit_spreads", "nfci_index"),
    "real_bank_credit": ("reserve_growth", "real_bank_credit_yoy_pct"),
}
# Components with a score on a fixed scale have no rank.
_UNRANKED = ("equity_drawdown", "sahm_gap", "claims_change", "core_pce_inflation")
VIEWS = (
    "start_here", MONTHLY, "spells", "about", "regime_current", "evidence_current", "what_changed", "four_by_four",
)  # fmt: skip
POINT_IN_TIME = "pit"
_POINT_IN_TIME_TABLES = ("observations", "series")
_CAUTION = {
    "sample": "SAMPLE DATA: bundled figures that end with as_of_date. "
    "A measurement, no forecast and no advice.",
    "public": "A measurement, no forecast and no advice. The figures come from their publishers without a key: see "
    "series.fetched_from. The row of a run date inside a month is provisional.",
    "live": "A measurement, no forecast and no advice. The row of a run date inside a month is provisional.",
}


def view_statements(catalog: Catalog, profile: str) -> list[str]:
    """Statements that create views and macros, with comments, in the current database, which has the tables."""
    stored = [catalog.tables[name] for name in _POINT_IN_TIME_TABLES]
    views = template("views").render(
        stored=stored,
        regime=catalog.tables["regime"],
        monthly=list(monthly_columns(catalog)),
        ranked=monthly_ranks(),
        examples=examples(),
        caution=_CAUTION[profile],
    )
    commented = (*stored, *view_tables(catalog))
    comments = [
        one for table in commented for one in comment_statements(table, quoted(table.name), is_view=True)
    ]
    return [views, *comments, macro_statements()]


def macro_statements() -> str:
    """Statements that create the macros with their comments, in the current database, which has the tables of `pit`."""
    return template("macros").render(real_vintages=REAL_VINTAGES)


@cache
def template(name: str) -> jinja2.Template:
    """A template of SQL."""
    folder = Path(__file__).parent / "sql"
    return templates(folder, (literal, quoted), autoescape=False).get_template(f"{name}.sql.j2")


def view_tables(catalog: Catalog) -> list[Table]:
    """Shape and wording of every view, as tables of the catalogue."""
    newest = {
        "regime_current": ("regime", "The newest row of regime.", "One row, the run date"),
        "evidence_current": (
            "regime_evidence",
            "The evidence for the newest row of regime.",
            "One row per condition and component, on the run date",
        ),
    }
    shapes = {**catalog.tables, MONTHLY: monthly_table(catalog)}
    for name, (of, title, grain) in newest.items():
        columns = tuple(map(_nullable, catalog.tables[of].columns))
        update = {"name": name, "group": "start", "title": title, "grain": grain, "columns": columns}
        shapes[name] = catalog.tables[of].model_copy(update=update)
    return [shapes[name] for name in VIEWS]


def file_schema(table: Table) -> str:
    """Schema of a table in the published file: `pit` for what the macros read, with a view of its name in `main`."""
    return POINT_IN_TIME if table.name in _POINT_IN_TIME_TABLES else "main"


def _nullable(column: Column) -> Column:
    """A column of evidence_current: NULL instead of 0 where an input is absent. In regime_evidence live rows hold 0."""
    if column.name != "contribution":
        return column
    definition = f"{column.definition.rstrip('.')}; NULL where the input is absent."
    return column.model_copy(update={"nullable": True, "definition": definition, "formula": None})


def monthly_table(catalog: Catalog) -> Table:
    """Shape and wording of the view, from those of the columns it shows."""
    update = {
        "name": MONTHLY,
        "layer": "publish",
        "group": "start",
        "title": "Labels, scores, ranks and the main raw figures of every month-end in one table, every column once.",
        "grain": "One row per month-end from 1985-01-31, without the row of a run date inside a month",
        "columns": tuple(column for _, column in monthly_columns(catalog)),
    }
    return catalog.tables["regime"].model_copy(update=update)


def monthly_ranks() -> dict[str, str]:
    """Column of the rank, by component."""
    return {
        component: f"{name}_rank" for component, (_, name) in _RANKED.items() if component not in _UNRANKED
    }


def monthly_columns(catalog: Catalog) -> Iterator[tuple[str, Column]]:
    """Every column with the table, or the subquery `ranks`, it is read from."""
    for table, names in _COLUMNS.items():
        for name in names:
            yield table, _copied(catalog.tables[table].column(name), table, name)
    rank = catalog.tables["regime_evidence"].column("rank")
    for component, (table, name) in _RANKED.items():
        yield table, _copied(catalog.tables[table].column(name), table, name)
        if component not in _UNRANKED:
            definition = f"Rank of {name}: {rank.definition} Component {component} of regime_evidence."
            update = {"name": f"{name}_rank", "definition": definition}
            yield "ranks", _copied(rank, table, name).model_copy(update=update)


def _copied(column: Column, table: str, name: str) -> Column:
    """A column of another table, without what belongs to it there."""
    update = {"derived_from": (f"{table}.{name}",), "formula": None, "needs": (), "added_in": None}
    return column.model_copy(update={**update, "renamed_from": None, "renamed_in": None})


def describe_empty_columns(
    con: duckdb.DuckDBPyConnection, tables: Sequence[Table], catalog: Catalog, profile: Profile
) -> None:
    """Name the series the profile lacks, for a column without any value: in its comment and in the table `columns`.

    `con` uses the file, which has these tables and views.
    """
    empty: dict[tuple[str, str], Column] = {}
    for table in tables:
        counts = [f"count({quoted(column.name)})" for column in table.columns]
        query = f"SELECT count(*), {', '.join(counts)} FROM {quoted(table.name)}"
        rows, *values = con.execute(query).fetchall()[0]
        if rows > 1:  # of the newest row alone it would say nothing
            found = zip(table.columns, values, strict=True)
            empty.update({(table.name, column.name): column for column, count in found if not count})
    for (table_name, name), column in empty.items():
        absent = sorted(set(_absent_series(column, empty, catalog, profile)))
        if absent and not _may_be_withheld(column, catalog, profile):
            why = f"NULL in every row here: the profile {profile} has no {', '.join(absent)}."
            definition = f"{column.definition} {why}"
            comment = column_comment(column.model_copy(update={"definition": definition}))
            con.execute(f"COMMENT ON COLUMN {quoted(table_name)}.{quoted(name)} IS {literal(comment)}")
            con.execute(
                "UPDATE columns SET definition = ? WHERE table_name = ? AND column_name = ?",
                [definition, table_name, name],
            )


def _may_be_withheld(column: Column, catalog: Catalog, profile: Profile) -> bool:
    """Whether it repeats a series of the profile: then its figures may be there, and kept out of the file."""
    repeated = [catalog.series[name] for repeat in column.repeats for name in repeat.series]
    return any(profile in series.profiles for series in repeated)


def _absent_series(
    column: Column, empty: Mapping[tuple[str, str], Column], catalog: Catalog, profile: Profile
) -> Iterator[str]:
    """Series outside the profile that it is computed from, itself or through other empty columns."""
    for origin in column.derived_from:
        table, _, name = origin.partition(".")
        if (table, name) in empty:
            yield from _absent_series(empty[table, name], empty, catalog, profile)
        elif not name and profile not in catalog.series[origin].profiles:
            yield origin
