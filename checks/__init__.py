"""What must pass before anything is published: suites, relations between series, audits, and their Dagster checks."""
