"""Faithful fakes of the paid providers on one port: their forms, limits and failures, and pictures by studio."""
