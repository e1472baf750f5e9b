"""The report of a release, `report.html`: made from the release's own DuckDB file alone, opened read-only."""
