"""The store on PostgreSQL, for many servers and workers. Needs the extra `aquatint[postgres]`."""
