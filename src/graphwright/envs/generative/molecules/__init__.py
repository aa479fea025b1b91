"""Building molecules, atom by atom or fragment by fragment, and what RDKit says of them."""
