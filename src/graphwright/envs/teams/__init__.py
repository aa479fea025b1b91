"""Tasks of several agents, a folder each."""
