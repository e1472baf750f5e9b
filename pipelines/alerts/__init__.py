"""Telling people: what is wrong or new, to whom it was told already, and sending it."""
