"""Edits: the ways in which a graph grows by a step, each with the way back."""

from graphwright.envs.generative.edits.attributes import SetLinkAttribute, SetNodeAttribute
from graphwright.envs.generative.edits.edit import Edit
from graphwright.envs.generative.edits.links import AddLink
from graphwright.envs.generative.edits.nodes import AddNode, Begin

__all__ = ["AddLink", "AddNode", "Begin", "Edit", "SetLinkAttribute", "SetNodeAttribute"]
