"""The switching game of Shannon: one side connects two nodes, the other cuts them apart."""
