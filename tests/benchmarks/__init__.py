"""Measurements (`make bench`): each compares answers before it compares times. `make test` times nothing."""
