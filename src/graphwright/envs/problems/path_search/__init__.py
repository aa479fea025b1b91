"""Decentralised path search: an agent that moves along edges and sees its surroundings."""
