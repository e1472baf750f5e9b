"""`docs/examples.md`, written from the queries a release ships: `python -m tests.examples_page`."""

from __future__ import annotations

from assets.catalog.loader import PROJECT_ROOT
from assets.publish.documents.examples import examples_page

PAGE = PROJECT_ROOT / "docs" / "examples.md"

if __name__ == "__main__":
    PAGE.write_text(examples_page(), encoding="utf-8")
