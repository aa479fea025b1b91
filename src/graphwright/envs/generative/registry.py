"""The tasks of generative flow networks that the library knows by name. A new task is one line here."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from graphwright.envs.generative.task import FlowTask

TASKS: dict[str, str] = {
    "hyper-grid": "graphwright.envs.generative.tasks.hyper_grid:HYPER_GRID",
    "ring-edges": "graphwright.envs.generative.tasks.ring_edges:RING_EDGES",
    "two-colour": "graphwright.envs.generative.tasks.two_colour:TWO_COLOUR",
    "toy-sequences": "graphwright.envs.generative.tasks.toy_sequences:TOY_SEQUENCES",
    "dag": "graphwright.envs.generative.tasks.dag:DAG",
    "independent-set": "graphwright.envs.generative.tasks.node_sets:INDEPENDENT_SETS",
    "max-cut": "graphwright.envs.generative.tasks.node_sets:CUTS",
    "rings": "graphwright.envs.generative.molecules.tasks:RINGS",
    "qed": "graphwright.envs.generative.molecules.tasks:QED",
    "qed-atoms": "graphwright.envs.generative.molecules.tasks:QED_ATOMS",
    "qed-sa-logp": "graphwright.envs.generative.molecules.tasks:QED_SA_LOGP",
}
"""Name → where the task is; it is imported when it is asked for, since some need RDKit."""


def find_task(name: str) -> FlowTask:
    """The task of that name, which may be one of your own: `my_package.my_module:MY_TASK`, wherever Python finds it.

    Raises ValueError, listing the names, where there is none; ImportError as its module does.
    """
    module, _, attribute = TASKS.get(name, name).partition(":")
    if not attribute:
        raise ValueError(f"unknown task {name!r}; choose one of {', '.join(TASKS)}, or one of your own: module:TASK")
    task = getattr(import_module(module), attribute, None)
    if not isinstance(task, FlowTask):
        raise ValueError(f"task {name!r}: {module} has no FlowTask of that name")
    return replace(task, name=name)
