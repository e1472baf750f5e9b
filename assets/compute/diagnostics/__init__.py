"""Diagnostics of the label: why it is what it is, how near another one is, and what else it could have been."""
