"""Heads: embeddings → scores of candidates, distributions over them, or the value of a state.

A scoring head is called as head(embedding, graph, mask), mask being that of its action block, and gives a number for
each candidate of the block. `actors.py` beside this folder makes distributions of them.
"""
