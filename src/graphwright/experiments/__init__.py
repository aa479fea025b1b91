"""Published experiments, each one command: `graphwright reproduce NAME`."""
