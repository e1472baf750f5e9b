"""Views and table macros of the published file, with a comment on each and on every column; a 1.4 client runs them.

Their SQL is in `sql/views.sql.j2` and `sql/macros.sql.j2`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from assets.catalog.models import Catalog, Column, Table
from assets.catalog.render import comment_statements, literal, quoted
from assets.compute.archive import REAL_VINTAGES
from assets.publish.documents.examples import examples
from assets.publish.monthly import MONTHLY, monthly_columns, monthly_ranks, monthly_table
from assets.report.sentences import templates

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
