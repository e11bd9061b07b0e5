"""Flowers: heads by kind, fields in perspective, close-ups, and branches in blossom."""
