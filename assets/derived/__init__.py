"""Thin assets, one per as-of table: what was known on each date, from the archive alone."""
