"""Builds the release next to the published one, checks it, and swaps it in."""
