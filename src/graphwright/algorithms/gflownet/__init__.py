"""Generative flow networks: objectives, and the step that descends them."""
