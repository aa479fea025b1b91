"""Games that are won by k in a row."""
