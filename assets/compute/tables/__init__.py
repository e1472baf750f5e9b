"""One module per derived table: readings in, columns out. Pure."""
