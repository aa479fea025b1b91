"""Environments: problems as pure functions of graph batches, with generators and baselines."""
