"""The conformance test of environments: what passes it can be trained on, batched, stored, resumed and compared."""

from __future__ import annotations

from graphwright.envs.conformance.check import check_environment
from graphwright.envs.conformance.compare import ConformanceError, ConformanceWarning

__all__ = ["ConformanceError", "ConformanceWarning", "check_environment"]
