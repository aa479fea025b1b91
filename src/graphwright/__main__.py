"""`python -m graphwright`."""

from graphwright.cli import main

main()
