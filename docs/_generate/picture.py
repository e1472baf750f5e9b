"""Takes the README's picture of the report, its first screen: `python -m docs._generate.picture [report.html]`.

The default is the published report of REGIME_DATA_DIR.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from assets.catalog.loader import PROJECT_ROOT

PICTURE = PROJECT_ROOT / "docs" / "images" / "report.png"
LARGEST_PICTURE = 200_000  # bytes
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_SCREEN = {"width": 960, "height": 975}


def take(browser: Browser, report: Path, picture: Path) -> Path:
    """The first screen of `report` as a PNG."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport=_SCREEN, color_scheme="light")
    page.goto(report.resolve().as_uri())
    page.screenshot(path=picture)
    page.close()
    return picture


def main() -> int:
    """Take the picture; 2 where there is no report or no browser."""
    published = Path(os.environ.get("REGIME_DATA_DIR", "data"), "published", "report.html")
    report = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT_ROOT / published
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not report.is_file() or found is None:
        print(
            f"no report at {report}: make run" if found else f"no browser: {', '.join(BROWSERS)}",
            file=sys.stderr,
        )
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        picture = take(browser, report, PICTURE)
        browser.close()
    size = picture.stat().st_size
    print(f"{picture.relative_to(PROJECT_ROOT)}: {size:,} bytes")
    return 0 if size <= LARGEST_PICTURE else 1


if __name__ == "__main__":
    raise SystemExit(main())
