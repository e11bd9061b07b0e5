"""Engines: code that generates. Each is a few files of its own, found through entry points."""
