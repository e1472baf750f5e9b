"""Settings every test shares: nothing from the caller's environment, no network, no shared Dagster history."""
