"""Graphwright's problems and policies inside other libraries, and their environments inside Graphwright.

Each module imports its framework itself; import the one you need. All of them speak of an observation as a dictionary
of plain arrays, which `schema` describes: ragged where the framework allows it, padded where it does not.
"""
