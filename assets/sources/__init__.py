"""One module per publisher, all behind one small protocol."""
