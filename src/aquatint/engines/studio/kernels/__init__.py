"""Shared pure functions from arrays to arrays, one topic per file."""
