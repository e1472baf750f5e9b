"""`report.html`: the release for readers, on one page.

Belongs here: the page as a document of the release. Does not belong here: the page itself (`assets/report`).
"""

from __future__ import annotations

import duckdb

from assets.publish.documents.facts import DocumentFacts


def report(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of report.html."""
    from assets.report.page import render_report

    return render_report(con)
