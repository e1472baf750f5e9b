"""The raw assets, one per series: fetch, validate, merge into the archive. Glue between `sources` and `warehouse`."""
