"""`README.txt`: what lies here, and three queries to begin with.

Belongs here: its text. Does not belong here: definitions of columns (`dictionary.py`).
"""

from __future__ import annotations

import duckdb

from assets.publish.documents.examples import first_queries
from assets.publish.documents.facts import DocumentFacts

_TEXT = """{title}
{rule}
{caution}Label: {regime} since {since}. As of {as_of}, {profile} figures, published {published} UTC,
release {release_id}.

What lies here
  regime.duckdb        everything, for any DuckDB client from 1.2 on; open it read-only
  report.html          the release on one page, for reading; needs no network
  regime.json          the newest row, its evidence, caveats and the age of every input, for programs;
                       its shape: regime.schema.json (JSON Schema)
  parquet/, csv/       the same tables, one file each (CSV without observations)
  examples.sql         queries for common questions
  notebook.py          a marimo notebook: what was known on a date you choose
  DATA_DICTIONARY.md   every table and column: unit, definition, what it is computed from
  RELEASE_NOTES.md     what changed since the release before
  LICENSES.md          what may be done with the figures, series by series
  CITATION.cff         how to cite this release
  datapackage.json     rows, bytes, hashes, types, units, rights (Frictionless)
  SHA256SUMS           sha256sum --check SHA256SUMS
  releases/            earlier releases, which never change

Open it
  duckdb -readonly regime.duckdb
  duckdb.connect('regime.duckdb', read_only=True).execute('FROM regime_current').fetchall()   (Python, import duckdb)

Three queries to begin with

{queries}

Every row states what was known on its as_of_date. A measurement, no forecast and no advice.
"""


def readme(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of README.txt."""
    title = "Stimulus regime of the United States, point in time"
    return _TEXT.format(
        title=title,
        rule="=" * len(title),
        caution=_caution(facts),
        regime=facts.newest["regime"],
        since=facts.newest["regime_since"],
        as_of=facts.manifest["as_of_date"],
        profile=facts.manifest["profile"],
        published=f"{facts.manifest['published_at']:%Y-%m-%d %H:%M}",
        release_id=facts.manifest["release_id"],
        queries="\n\n".join(first_queries()),
    )


def _caution(facts: DocumentFacts) -> str:
    """What nobody may overlook, a line each."""
    sample = "SAMPLE DATA: bundled figures, not today's.\n" if facts.is_sample else ""
    restricted = "Holds raw figures of series with restricted rights: not to be passed on (LICENSES.md).\n"
    return sample + (restricted if facts.manifest["restricted_series_count"] else "")
