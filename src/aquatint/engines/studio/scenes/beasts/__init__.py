"""Animals: their figures as data, the places they live in, and the light there."""
