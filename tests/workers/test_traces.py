"""Where something happened: the innermost line of the user's own code, wherever that lies."""

from __future__ import annotations

from pathlib import Path

import graphwright
from graphwright.workers.traces import with_place

PACKAGE = Path(graphwright.__file__).parent
TRACE = '  File "{own}", line 3, in reward\n  File "{library}", line 9, in __call__\n'


def test_the_innermost_line_of_ones_own_is_named() -> None:
    trace = TRACE.format(own="/home/me/task.py", library=PACKAGE / "core" / "graph.py")
    assert with_place("ValueError: no", trace) == "ValueError: no (/home/me/task.py:3)"


def test_a_folder_whose_name_begins_as_the_package_s_is_ones_own() -> None:
    beside = Path(f"{PACKAGE}-of-mine") / "task.py"
    trace = TRACE.format(own=beside, library=PACKAGE / "core" / "graph.py")
    assert with_place("ValueError: no", trace) == f"ValueError: no ({beside}:3)"


def test_where_all_is_a_library_s_the_innermost_line_is_named() -> None:
    trace = TRACE.format(own=PACKAGE / "a.py", library=PACKAGE / "b.py")
    assert with_place("ValueError: no", trace) == f"ValueError: no ({PACKAGE / 'b.py'}:9)"
