"""The benchmark: durable submits, queries, tasks end to end, beside the floor of the stack and the usual do-it-yourself stack."""
