"""What a head declares that it gives, so that whatever needs more can refuse it."""

from typing import Literal

Gives = Literal["scores", "nearness", "log-densities", "log-probabilities"]
"""`scores`: free numbers, any number of columns of them for each candidate. `nearness`: bound ones, largest at one
point. `log-densities`, `log-probabilities`: of one column; the latter exact, and -inf where a candidate is illegal."""
