"""Audits: rules that look through a whole table for one kind of wrong, such as a figure known too early."""
