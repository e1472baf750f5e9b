"""The documents of a release: their list, and the filling of its folder.

Belongs here: which documents there are, in the order they are written. Does not belong here: their text (one module
each), which tables are exported (`assets/publish/staged_file.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.publish.documents.datapackage import datapackage
from assets.publish.documents.dictionary import dictionary
from assets.publish.documents.examples import NAME as EXAMPLES
from assets.publish.documents.facts import DocumentFacts, document_facts
from assets.publish.documents.licenses import citation, licenses
from assets.publish.documents.notes import notes
from assets.publish.documents.readme import readme
from assets.publish.documents.regime_json import SCHEMA, regime_json
from assets.publish.documents.report import report
from assets.publish.documents.verbatim import verbatim
from assets.publish.staged_file import export_tables

Document = Callable[[duckdb.DuckDBPyConnection, DocumentFacts], str | bytes]

# Name of the file -> what makes it from the staged file (read-only) and the facts. One line a document; imports of
# heavy libraries stand inside the function.
DOCUMENTS: dict[str, Document] = {
    "README.txt": readme,
    "DATA_DICTIONARY.md": dictionary,
    "LICENSES.md": licenses,
    "CITATION.cff": citation,
    "RELEASE_NOTES.md": notes,
    "regime.json": regime_json,
    SCHEMA: verbatim(SCHEMA),
    EXAMPLES: verbatim(EXAMPLES),
    "notebook.py": verbatim("notebook.py"),
    "report.html": report,
    "datapackage.json": datapackage,
}


def fill_release(
    con: duckdb.DuckDBPyConnection,
    staged: Path,
    folder: Path,
    before: Path | None,
    incomplete: str | None = None,
) -> None:
    """The staged file, its tables and its documents into the empty `folder`; `con` is open on the staged file.

    `before` is the folder of the release it follows, if there is one; `incomplete` says what keeps the release from
    being complete. Raises OSError, duckdb.Error, and Held when a
    document is not what its schema says.
    """
    shutil.copyfile(staged, folder / "regime.duckdb")
    with con.cursor() as other, ThreadPoolExecutor(1) as beside:
        # DuckDB writes files while Python makes pages; who needs to know of the files waits for them
        exports = beside.submit(export_tables, other, folder, load_catalog())
        facts = document_facts(con, folder, exports.result, before, incomplete)
        for name, document in DOCUMENTS.items():
            made = document(con, facts)
            (folder / name).write_bytes(made.encode() if isinstance(made, str) else made)
        exports.result()
