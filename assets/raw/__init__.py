"""Thin assets, one per series: our archive of what each publisher said, and when."""
