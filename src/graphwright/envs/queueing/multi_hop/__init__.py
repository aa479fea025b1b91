"""Packets that are passed on from node to node."""
