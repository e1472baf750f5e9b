"""Thin assets: conditions, stance and regime, with the evidence for every row."""
