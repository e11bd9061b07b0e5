"""OpenAI's Images API: the same tasks for clients that know nothing else."""
