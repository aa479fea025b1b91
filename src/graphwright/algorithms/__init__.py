"""Learning algorithms: what to do with collected data."""
