"""Weighted maximum independent set."""
