"""README.txt, DATA_DICTIONARY.md, LICENSES.md and CITATION.cff of a release."""

from __future__ import annotations

import json
from typing import get_args

import duckdb

from assets.catalog.models import Group, Rights, Table
from assets.catalog.render import data_dictionary
from assets.publish.documents.examples import first_queries
from assets.publish.documents.facts import DocumentFacts
from assets.publish.staged_file import published_tables
from assets.publish.views import view_tables

_TITLE = "Stimulus regime of the United States, point in time"
_README = """{title}
{rule}
{caution}Label: {regime} since {since}. As of {as_of}, {profile} figures, published {published} UTC,
release {release_id}.

Contents
  regime.duckdb        all tables, for DuckDB 1.2 or later; open it read-only
  report.html          the release on one page, for reading; needs no network
  regime.json          the newest row, its evidence, caveats and the age of every input, for programs;
                       its shape: regime.schema.json (JSON Schema)
  parquet/, csv/       the same tables, one file each (CSV without observations)
  examples.sql         queries for common questions
  notebook.py          a marimo notebook: what was known on a date you choose
  DATA_DICTIONARY.md   every table and column: unit, definition, what it is computed from
  RELEASE_NOTES.md     what changed since the previous release
  LICENSES.md          terms of use, series by series
  CITATION.cff         how to cite this release
  datapackage.json     rows, bytes, hashes, types, units, rights (Frictionless)
  SHA256SUMS           hashes of all files: sha256sum --check SHA256SUMS
  releases/            earlier releases, which never change

Open it
  duckdb -readonly regime.duckdb -c "FROM start_here"     questions, each with a query; then monthly and spells
  duckdb.connect('regime.duckdb', read_only=True).execute('FROM regime_current').fetchall()   (Python, import duckdb)

Three queries to begin with

{queries}

Every row states what was known on its as_of_date. A measurement: not a forecast, not advice.
"""
_SAMPLE = "SAMPLE DATA: bundled figures, not today's.\n"
_RESTRICTED = "Contains raw figures of series with restricted rights: not to be passed on (LICENSES.md).\n"
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
_LICENSES = """# Rights in this release

The code that made it is under Apache-2.0. The figures belong to their publishers: {published} series are in
`observations`, {absent} declared ones are not (restricted, without a figure, or not in this profile). Rights of a
computed column are those of the series it is computed from: `columns.rights` and `columns.source_series`, also in
`datapackage.json`.
"""
_ABSTRACT = (
    "Measures whether monetary easing in the United States goes into a bubble, a depression or neither. Each row uses "
    "only what was known on its date."
)


def readme(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of README.txt."""
    sample = _SAMPLE if facts.manifest["profile"] == "sample" else ""
    restricted = _RESTRICTED if facts.manifest["restricted_series_count"] else ""
    return _README.format(
        title=_TITLE,
        rule="=" * len(_TITLE),
        caution=sample + restricted,
        regime=facts.newest["regime"],
        since=facts.newest["regime_since"],
        as_of=facts.manifest["as_of_date"],
        profile=facts.manifest["profile"],
        published=f"{facts.manifest['published_at']:%Y-%m-%d %H:%M}",
        release_id=facts.manifest["release_id"],
        queries="\n\n".join(first_queries()),
    )


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


def licenses(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of LICENSES.md: one section for each kind of rights, one line for each series."""
    query = "SELECT series_id FROM series WHERE is_published"
    published = {series_id for (series_id,) in con.execute(query).fetchall()}
    series = facts.catalog.series.values()
    parts = [_LICENSES.format(published=len(published), absent=len(series) - len(published))]
    for rights, meaning in meanings(facts).items():
        lines = [
            f"| {s.series_id} | {'yes' if s.series_id in published else 'no'} | {_cell(s.citation)} |"
            for s in series
            if s.rights == rights
        ]
        if lines:
            table = ["| series | in this release | citation |", "|---|---|---|", *lines, ""]
            parts.append("\n".join([f"## {rights}", "", meaning, "", *table]))
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def meanings(facts: DocumentFacts) -> dict[Rights, str]:
    """What each kind of rights means for this release."""
    included = facts.manifest["restricted_series_count"] > 0
    return {**_MEANINGS, "restricted": _RESTRICTED_INCLUDED} if included else _MEANINGS


def citation(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of CITATION.cff, format 1.2.0; quoted texts are JSON, which is also YAML."""
    return f"""cff-version: 1.2.0
message: "Cite this release, and the publishers of the series (LICENSES.md)."
type: dataset
title: "Stimulus regime of the United States ({facts.manifest["profile"]} figures)"
abstract: {json.dumps(_ABSTRACT)}
authors:
  - name: "The stimulus-regime project"
version: {json.dumps(facts.manifest["release_id"])}
date-released: '{facts.manifest["published_at"]:%Y-%m-%d}'
license: Apache-2.0
"""
