"""Hive, with mosquito, ladybug and pillbug, on a graph that grows and shrinks with the hive."""
