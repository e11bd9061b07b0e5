"""The benchmark: submits, queries and tasks end to end, beside the stack's floor and the do-it-yourself stack."""
