"""CodeGen (Nijkamp et al. 2022): GPT-J with q, v, k in one matrix, dealt out to four parts of a machine."""

import numpy as np

from longra.errors import FitError
from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.files.tensor import Tensor
from longra.graph import Graph, Node
from longra.models.gptj import COMMON, build_parallel, read_parallel
from longra.models.weights import Part, Weights

PARTS = (*COMMON, Part("qkv", "h.{}.attn.qkv_proj", "blk.{}.attn_qkv", ("qkv", "hidden")))
_DEALT = 4


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:  # noqa: ARG001
    """The description.

    Raises:
        FitError: the heads do not divide by the four parts that the stored matrix is made of.
    """
    spec = read_parallel(fields, "codegen")
    if spec.heads % _DEALT:
        raise FitError(
            f"codegen: {spec.heads} heads do not divide by {_DEALT}, in which the stored matrix is dealt out"
        )
    return spec


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass. The stored rows are [4][q, v, k][heads / 4 * head_dim]."""
    rows = np.arange(3 * spec.hidden).reshape(_DEALT, 3, -1)
    q, v, k = (rows[:, n].reshape(-1) for n in range(3))

    def query_key_value(i: int) -> tuple[Tensor, Tensor, Tensor]:
        stored = w("qkv", i)
        return stored.take_rows(q), stored.take_rows(k), stored.take_rows(v)

    return build_parallel(g, spec, w, query_key_value)
