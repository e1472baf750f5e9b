"""`DATA_DICTIONARY.md`: every table, view and column of the published file.

Belongs here: the page around the rendered dictionary. Does not belong here: any definition (the catalogue's).
"""

from __future__ import annotations

import duckdb

from assets.catalog.render import data_dictionary
from assets.publish.documents.facts import DocumentFacts
from assets.publish.staged_file import published_tables
from assets.publish.views import view_tables

_OPENING = """# Data dictionary

Release {release_id}, method {method_version}. The same definitions stand in the file itself: as comments, and in the
table `columns`.

"""


def dictionary(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of DATA_DICTIONARY.md."""
    tables = [*published_tables(facts.catalog), *view_tables(facts.catalog)]
    in_file = [table.model_copy(update={"layer": "publish"}) for table in tables]
    return _OPENING.format(**facts.manifest) + data_dictionary(in_file)
