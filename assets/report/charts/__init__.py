"""The report's charts: Altair specifications, rendered to static SVG in two widths."""
