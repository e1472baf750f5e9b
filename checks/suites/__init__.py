"""Great Expectations suites written as plain declarations, one module per table or layer."""
