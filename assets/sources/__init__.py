"""The publishers: one module each, a common base class, one HTTP client, and the validation of what they serve.

Nothing here knows the warehouse or Dagster.
"""
