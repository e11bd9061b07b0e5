"""Nouns and rules of the house; no I/O, no clock."""
