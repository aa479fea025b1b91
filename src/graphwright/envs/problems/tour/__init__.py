"""The travelling salesman: the shortest tour through points."""
