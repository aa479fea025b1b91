"""Laws of random counts, as files and instances name them."""

COUNT_LAWS = ("poisson", "bernoulli", "uniform", "categorical", "fixed")
"""An instance holds the place of its law in this list."""
