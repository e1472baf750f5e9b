"""Audits of a complete release: its schema, its published rows, its rights, and every table computed again."""
