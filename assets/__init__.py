"""What the pipeline declares, fetches, computes and publishes.

Figures move from `raw` (the raw series) through `computed.py` (the derived and regime tables) to `publish`.
"""
