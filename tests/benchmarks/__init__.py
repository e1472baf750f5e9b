"""Measurements of what the project costs its users (`make bench`); `make test` measures no time."""
