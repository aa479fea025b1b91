"""Games of two sides, a folder each; what several of them share lies beside the folders."""
