"""The DuckDB side: resource, writer, readers and the builder of the published file."""
