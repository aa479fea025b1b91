"""Repairing a power network after a storm."""
