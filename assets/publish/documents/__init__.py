"""The documents of a release: their texts, and the list `fill.py` writes them from."""
