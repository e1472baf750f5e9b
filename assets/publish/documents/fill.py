"""Fills the folder of a release: the file, its tables and its documents."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.publish.documents.descriptors import SCHEMA, datapackage, regime_json
from assets.publish.documents.examples import EXAMPLES, shipped
from assets.publish.documents.texts import DocumentFacts, dictionary, document_facts, rendered
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
    facts = document_facts(con, folder, export_tables(con, folder, load_catalog()), before, incomplete)
    for name, document in DOCUMENTS.items():
        (folder / name).write_text(document(con, facts), encoding="utf-8", newline="")
