"""Parts of outdoor scenes: land, light, sky, water, plants, weather. Not scenes themselves."""
