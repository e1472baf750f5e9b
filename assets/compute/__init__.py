"""Pure functions on frames and arrays: no Dagster, connection, clock, environment or network."""
