"""What the pipeline computes, one package per room; figures move catalog, raw, derived, regime, publish."""
