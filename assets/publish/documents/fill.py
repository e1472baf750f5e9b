"""Fills the folder of a release: the file, its tables and its documents."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.publish.documents.datapackage import datapackage
from assets.publish.documents.examples import EXAMPLES
from assets.publish.documents.facts import DocumentFacts, document_facts
from assets.publish.documents.regime_json import SCHEMA, regime_json
from assets.publish.documents.texts import dictionary, rendered
from assets.publish.documents.verbatim import shipped
from assets.publish.staged_file import export_tables
from assets.report.page import render_report

Document = Callable[[duckdb.DuckDBPyConnection, DocumentFacts], str]


# Name of the file -> what makes its text from the staged file (read-only) and the facts, in the order of writing.
DOCUMENTS: dict[str, Document] = {
    **{
        name: partial(rendered, name)
        for name in ("README.txt", "LICENSES.md", "CITATION.cff", "RELEASE_NOTES.md")
    },
    "DATA_DICTIONARY.md": dictionary,
    "regime.json": regime_json,
    SCHEMA: lambda *_: shipped(SCHEMA),
    EXAMPLES: lambda *_: shipped(EXAMPLES),
    "notebook.py": lambda *_: shipped("notebook.py"),
    "report.html": lambda con, _: render_report(con),
    "datapackage.json": datapackage,
}


def fill_release(
    con: duckdb.DuckDBPyConnection,
    staged: Path,
    folder: Path,
    before: Path | None,
    incomplete: str | None = None,
) -> None:
    """Write the staged file, its tables and its documents into the empty `folder`; `con` is open on the staged file.

    `before` is the folder of the previous release, if there is one; `incomplete` says why the release is not complete.
    Raises OSError, duckdb.Error, and PublicationBlocked when a document does not match its schema.
    """
    shutil.copyfile(staged, folder / "regime.duckdb")
    with con.cursor() as other, ThreadPoolExecutor(1) as pool:
        # DuckDB exports tables while Python writes documents; a document that describes the exports waits for them
        exports = pool.submit(export_tables, other, folder, load_catalog())
        facts = document_facts(con, folder, exports.result, before, incomplete)
        for name, document in DOCUMENTS.items():
            (folder / name).write_text(document(con, facts), encoding="utf-8", newline="")
        exports.result()
