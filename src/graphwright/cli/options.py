"""Options that many commands have."""

from __future__ import annotations

from typing import Annotated

import tyro

from graphwright.training.config import Device

Threads = Annotated[int, tyro.conf.arg(help="CPU threads.")]
OnDevice = Annotated[Device, tyro.conf.arg(help="Where networks run; auto is the CPU, and CUDA has to be asked for.")]
Trust = Annotated[
    bool,
    tyro.conf.arg(help="Run code of its maker's own that a run names, found in the working directory or installed."),
]
AsJson = Annotated[bool, tyro.conf.arg(help="Write one JSON document to stdout.")]
