"""The only door out: every request that leaves the server is checked and made here."""
