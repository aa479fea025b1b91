"""Instances, states and what collection hands to learning."""
