"""The small vocabulary of operations in which a model's forward pass is written."""

from longra.files.spec import Rope
from longra.graph.graph import Graph
from longra.graph.nodes import (
    Activation,
    Add,
    Attention,
    Embed,
    LayerNorm,
    Linear,
    Multiply,
    Node,
    PositionEmbed,
    RmsNorm,
    in_order,
)

__all__ = [
    "Activation",
    "Add",
    "Attention",
    "Embed",
    "Graph",
    "LayerNorm",
    "Linear",
    "Multiply",
    "Node",
    "PositionEmbed",
    "RmsNorm",
    "Rope",
    "in_order",
]
