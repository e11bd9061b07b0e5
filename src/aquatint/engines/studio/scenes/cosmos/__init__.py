"""Parts of space scenes: nebula and stars, planets and rings, galaxies. Not scenes themselves."""
