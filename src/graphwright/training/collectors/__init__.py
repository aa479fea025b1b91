"""Collectors: a policy plays, and what it did becomes one complete table, a file a kind."""
