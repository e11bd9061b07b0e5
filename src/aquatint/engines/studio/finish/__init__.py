"""From a painted array to the bytes of a file: fitting to the ratio, encoding, provenance."""
