"""The face of OpenAI's Images API: its names live here and nowhere else."""
