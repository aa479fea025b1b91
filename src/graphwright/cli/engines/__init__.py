"""Engines that other programs drive, by the protocols of their games."""
