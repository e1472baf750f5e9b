"""`LICENSES.md` and `CITATION.cff`: what may be done with the figures, and how to cite them.

Belongs here: their text. Does not belong here: the rights of a series (the catalogue's).
"""

from __future__ import annotations

import json

import duckdb

from assets.catalog.models import Rights
from assets.publish.documents.facts import DocumentFacts

_MEANING: dict[Rights, str] = {
    "public_domain": "Works of the United States government: free to use; name the source.",
    "cc_by_4": "Creative Commons Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/): name the source, "
    "say what was changed.",
    "reserve_bank": "Terms of the Federal Reserve Bank that publishes the series: use with its citation; look at its "
    "terms before passing figures on commercially.",
    "restricted": "Rights of a third party: the raw series is not in this release, nor its figures where a column "
    "repeats them (`columns.repeats`). What is computed from it is; passing that on may need the owner's leave.",
}
_RESTRICTED_HERE = (
    "Rights of a third party. The operator had raw series published, for use in the house: this release must not be "
    "passed on without the owners' leave."
)
_OPENING = """# Rights in this release

The code that made it is under Apache-2.0. The figures are their publishers': {published} series are in
`observations`, {absent} declared ones are not (restricted, without a figure, or not in this profile). Rights of a
computed column are those of the series it rests on: `columns.rights` and `columns.source_series`, also in
`datapackage.json`.
"""
_PUBLISHED = "SELECT series_id FROM series WHERE is_published"


def licenses(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of LICENSES.md: one section for each kind of rights, one line a series."""
    published = {series_id for (series_id,) in con.execute(_PUBLISHED).fetchall()}
    series = facts.catalog.series.values()
    parts = [_OPENING.format(published=len(published), absent=len(series) - len(published))]
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


def meanings(facts: DocumentFacts) -> dict[Rights, str]:
    """What each kind of rights means for this release."""
    holds_restricted = facts.manifest["restricted_series_count"] > 0
    return {**_MEANING, "restricted": _RESTRICTED_HERE} if holds_restricted else _MEANING


def citation(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of CITATION.cff, format 1.2.0; quoted texts are JSON, which YAML reads."""
    what = "sample figures" if facts.is_sample else "live figures"
    abstract = (
        "Measures, with nothing on a row that was not known on its date, what monetary easing in the United States "
        "is poured into: a bubble, a depression or neither."
    )
    return "\n".join(
        [
            "cff-version: 1.2.0",
            "message: " + json.dumps("Cite this release, and the publishers of the series (LICENSES.md)."),
            "type: dataset",
            "title: " + json.dumps(f"Stimulus regime of the United States ({what})"),
            "abstract: " + json.dumps(abstract),
            "authors:",
            "  - name: " + json.dumps("The stimulus-regime project"),
            "version: " + json.dumps(facts.manifest["release_id"]),
            "date-released: " + f"'{facts.manifest['published_at']:%Y-%m-%d}'",
            "license: Apache-2.0",
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
