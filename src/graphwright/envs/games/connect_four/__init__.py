"""Connect Four, on boards of any size."""
