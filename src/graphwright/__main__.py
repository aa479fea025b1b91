"""`python -m graphwright`."""

import sys

# Python puts the working directory before its own library: a data folder may hold a file `yaml.py`. What the command
# line looks for there, it adds itself.
if not sys.flags.safe_path:
    del sys.path[0]

from graphwright.cli import main

if __name__ == "__main__":
    main()
