"""All pictures: curves, graphs, distributions, objects."""
