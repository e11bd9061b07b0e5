"""Other public APIs over the same tasks."""
