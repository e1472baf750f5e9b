"""What must come out, for the tests and for the page: the known dates, and the post's own figures."""

from __future__ import annotations

from assets.report.known_dates import CASES, POST

# what a reader of the day knew on the day of the post: the closes of the day before, August's unemployment
KNOWN = (
    ("real_yields", "nominal_10y_pct", 4.10, 0.005),
    ("real_yields", "tips_10y_pct", 1.81, 0.005),
    ("activity_inflation", "unemployment_rate_pct", 4.3, 0.001),
    ("activity_inflation", "cpi_yoy_pct", 3.0, 0.05),
    ("activity_inflation", "real_gdp_yoy_pct", 2.1, 0.05),
)
FRAGILE = ("2012-09-30", "2021-11-30")

__all__ = ["CASES", "FRAGILE", "KNOWN", "POST"]
