"""One stream, several servers."""
