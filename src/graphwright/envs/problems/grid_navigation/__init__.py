"""Finding the way on a grid with obstacles and patrols."""
