"""The floor: the same submit endpoint with nothing but parsing, a bearer check and one durable row."""
