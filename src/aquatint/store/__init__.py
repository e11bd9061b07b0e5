"""The database: tasks, deliveries, keys, ledger, events, and the claims on them."""
