"""Declarations: every series, table, parameter, event and reference value, written down once."""
