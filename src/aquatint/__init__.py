"""Aquatint: a self-hosted server for the MaxAPI asynchronous media-generation API."""

__version__ = "0.1.0"
