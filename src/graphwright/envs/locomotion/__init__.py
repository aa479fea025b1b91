"""Articulated bodies in MuJoCo."""
