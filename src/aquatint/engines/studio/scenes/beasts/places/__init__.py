"""Places where animals live: what lies behind the figures, where they stand, what is before them."""
