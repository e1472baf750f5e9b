"""`report.html`: the release for readers, on one page.

Belongs here: where the page before lies, whose unchanged pictures are taken over. Does not belong here: the page
(`assets/report`).
"""

from __future__ import annotations

import duckdb

from assets.publish.documents.facts import DocumentFacts

NAME = "report.html"


def report(con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    """The text of report.html."""
    from assets.report.page import render_report

    page = facts.before / NAME if facts.before is not None else None
    before = page.read_text(encoding="utf-8") if page is not None and page.is_file() else ""
    return render_report(con, before)
