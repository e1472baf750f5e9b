"""What a release says of itself in files: one module per document, listed in `release.py`."""
