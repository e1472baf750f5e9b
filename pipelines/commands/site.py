"""`site` adds the published release to a static site."""

from __future__ import annotations

import argparse

from pipelines.settings import PROJECT_ROOT, ConfigurationError, load_folders, read_environment


def site(args: argparse.Namespace) -> int:
    """Print what was added and the first page. Raises ConfigurationError; old pages have not changed then."""
    import duckdb

    from assets.report.site import add_release

    published = load_folders(read_environment()).published_path
    if not published.exists():
        raise ConfigurationError(f"{published} does not exist: run `make run` first")
    methodology = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    try:
        added = add_release(published, args.folder, methodology, args.url)
    except (OSError, duckdb.Error) as error:
        raise ConfigurationError(f"{args.folder} was not completed: {' '.join(str(error).split())}") from None
    print(f"{added.release_id} {'added' if added.is_new else 'is there already'}; releases: {added.releases}")
    print(added.index)
    return 0
