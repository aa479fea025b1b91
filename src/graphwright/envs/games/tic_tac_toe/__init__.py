"""Tic-tac-toe, and k in a row on any grid."""
