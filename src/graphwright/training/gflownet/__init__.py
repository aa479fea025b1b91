"""Training and evaluating generative flow networks."""
