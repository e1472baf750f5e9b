"""Alerts: problems found in the run history and the published file, which messages are due, and sending them."""
