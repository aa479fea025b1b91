"""Graphs from and to other libraries and files. Each module imports its framework itself; import the one you need."""
