"""Captions of samples."""

from __future__ import annotations

import numpy as np

from graphwright.drawing.reports import caption


def test_captions_say_log_r_where_r_is_hard_to_read() -> None:
    texts = [caption(value) for value in (44.545, 3456.78, float(np.log(1e6)), -13.8, float(np.log(1e-3)), 0.0)]
    assert texts == ["log R 44.5", "log R 3456.8", "log R 13.8", "log R -13.8", "R 0.001", "R 1"]
