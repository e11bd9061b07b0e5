"""Parts of a street in perspective, shared by the city scenes: layout, walls, signs, road, people, weather."""
