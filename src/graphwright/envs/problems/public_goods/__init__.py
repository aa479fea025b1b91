"""Specialised equilibria of public goods games: cheap maximal independent sets."""
