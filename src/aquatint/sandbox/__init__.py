"""Warm, limited child processes: what may hang, crash or eat memory runs there and costs one task at most."""
