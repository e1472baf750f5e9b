"""Suites as plain data: what a rule is, the rules of tables beyond their declaration, the rules of the archive."""
