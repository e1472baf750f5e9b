"""The documents of a release: templates over the staged file, the data dictionary, and what rights mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Group, Rights, Table
from assets.catalog.render import data_dictionary
from assets.publish.documents.examples import first_queries
from assets.publish.staged_file import Export, published_tables
from assets.publish.views import view_tables
from assets.report.published import Release, Row
from assets.report.sentences import sentence, templates
from assets.warehouse.connection import query_rows

TITLE = "Stimulus regime of the United States, point in time"
_DICTIONARY = """# Data dictionary

Release {release_id}, method {method_version}. The file contains the same definitions: as comments, and in the table
`columns`.

"""
_MEANINGS: dict[Rights, str] = {
    "public_domain": "Works of the United States government: free to use; name the source.",
    "cc_by_4": "Creative Commons Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/): name the source and "
    "state what was changed.",
    "credit_required": "Free to copy, adapt and share with credit to the publisher.",
    "reserve_bank": "Terms of the Federal Reserve Bank that publishes the series: use with its citation; check its "
    "terms before passing figures on commercially.",
    "restricted": "Rights of a third party: this release contains neither the raw series nor its figures where a "
    "column repeats them (`columns.repeats`). It contains what is computed from the series; passing that on may need "
    "the owner's permission.",
}
_RESTRICTED_INCLUDED = (
    "Rights of a third party. The operator chose to publish raw series for internal use: do not pass this release on "
    "without the owners' permission."
)
_BEFORE = "read_parquet('{folder}/parquet/{table}.parquet')"
_READ_BEFORE = ("regime", "observations", "columns", "release_manifest")


@dataclass(frozen=True)
class DocumentFacts:
    """One release in the making.

    `manifest` is the row of release_manifest, `newest` the newest row of regime. `folder` has what is already written,
    `exports` are its tables. `before` is the folder of the previous release of the same profile,
    None for the first. `incomplete` is why the release is not complete, None when it is.
    """

    catalog: Catalog
    manifest: dict[str, Any]
    newest: dict[str, Any]
    folder: Path
    exports: tuple[Export, ...]
    before: Path | None
    incomplete: str | None = None


def document_facts(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    exports: tuple[Export, ...],
    before: Path | None,
    incomplete: str | None = None,
) -> DocumentFacts:
    """Facts of the release in the staged file `con`."""
    manifest = query_rows(con, "SELECT * FROM release_manifest")[0]
    newest = query_rows(con, "SELECT * FROM regime_current")[0]
    if before is not None and _profile(con, before) != manifest["profile"]:
        before = None
    return DocumentFacts(load_catalog(), manifest, newest, folder, exports, before, incomplete)


def _profile(con: duckdb.DuckDBPyConnection, before: Path) -> str | None:
    """The profile of an earlier release; None when it cannot be read any more."""
    path = str(before / "parquet" / "release_manifest.parquet")
    try:
        return str(query_rows(con, "SELECT profile FROM read_parquet(?)", [path])[0]["profile"])
    except duckdb.Error:
        return None


def rendered(name: str, con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of README.txt, LICENSES.md, CITATION.cff or RELEASE_NOTES.md, by its template."""
    series = query_rows(con, "FROM series")
    environment = templates(Path(__file__).parent / "templates", (), autoescape=False)
    text = environment.get_template(f"{name}.j2").render(
        title=TITLE,
        manifest=facts.manifest,
        newest=facts.newest,
        incomplete=facts.incomplete,
        queries=first_queries(),
        published={row["series_id"] for row in series if row["is_published"]},
        series=series,
        meanings=meanings(facts),
        sentence=partial(sentence, Release(con)),
        before=_newest_before(con, facts),
        rows=partial(query_rows, con),
        both=partial(_query_both, con, facts),
    )
    return text.rstrip("\n") + "\n"


def _newest_before(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> Row | None:
    """The newest row of the previous release; None for the first, and for one that cannot be read any more."""
    if facts.before is None:
        return None
    try:
        return _query_both(con, facts, "FROM {regime} ORDER BY as_of_date DESC LIMIT 1")[0]
    except duckdb.Error:
        return None


def _query_both(con: duckdb.DuckDBPyConnection, facts: DocumentFacts, query: str) -> list[Row]:
    """Rows of a query in which a name in braces is that table of the previous release."""
    folder = str(facts.before).replace("'", "''")
    return query_rows(con, query.format(**{t: _BEFORE.format(folder=folder, table=t) for t in _READ_BEFORE}))


def dictionary(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of DATA_DICTIONARY.md: every table, view and column of the published file."""
    rows = con.execute("SELECT table_name, column_name, definition FROM columns").fetchall()
    definitions = {(table, column): definition for table, column, definition in rows}
    tables = [*published_tables(facts.catalog), *view_tables(facts.catalog)]
    parts = [_DICTIONARY.format(**facts.manifest)]
    for group in get_args(Group):
        in_file = [_as_in_file(table, definitions) for table in tables if table.group == group]
        parts.append(f"# Group {group}\n\n{data_dictionary(in_file)}\n")
    return "".join(parts)


def _as_in_file(table: Table, definitions: dict[tuple[str, str], str]) -> Table:
    """The table as it is in this file: in schema main, with the definitions of its table `columns`."""
    columns = [c.model_copy(update={"definition": definitions[table.name, c.name]}) for c in table.columns]
    return table.model_copy(update={"layer": "publish", "columns": tuple(columns)})


def meanings(facts: DocumentFacts) -> dict[Rights, str]:
    """What each kind of rights means for this release."""
    included = facts.manifest["restricted_series_count"] > 0
    return {**_MEANINGS, "restricted": _RESTRICTED_INCLUDED} if included else _MEANINGS
