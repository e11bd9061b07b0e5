"""Webhooks: what a delivery says, how it is signed, and one POST that says what happened."""
