"""Files a release carries word for word: the schema of regime.json, the example queries, the notebook."""
