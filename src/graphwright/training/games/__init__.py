"""Games of two sides: who plays them, matches, ratings, and the pool that a policy learns against."""
