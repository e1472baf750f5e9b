"""What readers see of a release: report.html, regime.json, made from the published file alone, read-only."""
