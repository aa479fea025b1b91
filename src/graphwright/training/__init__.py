"""Runs: collection, validation, checkpoints, evaluation and solving."""
