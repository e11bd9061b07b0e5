"""Bytes in, digest out: where pictures are kept."""
