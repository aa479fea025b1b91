"""Networks that hold no graph size: layers, encoders, heads and policies."""

from graphwright.nn.actors import HeadsConfig
from graphwright.nn.encoders import Encoder, EncoderConfig
from graphwright.nn.policies import GraphPolicy

__all__ = ["Encoder", "EncoderConfig", "GraphPolicy", "HeadsConfig"]
