"""Networks that hold no graph size: layers, encoders, heads and policies."""

from graphwright.nn.encoders import EdgeFeaturesIgnored, Embedding, Encoder, EncoderConfig
from graphwright.nn.heads.choice import HeadsConfig
from graphwright.nn.policies import ActorCritic, GraphPolicy

__all__ = ["ActorCritic", "EdgeFeaturesIgnored", "Embedding", "Encoder", "EncoderConfig", "GraphPolicy", "HeadsConfig"]
