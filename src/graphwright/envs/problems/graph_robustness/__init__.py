"""Links that make a network robust against the loss of its nodes."""
