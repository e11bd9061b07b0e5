"""Places where animals live: each prints what lies behind the figures, says where they stand, prints what is before."""
