"""Stations that serve several classes of jobs."""
