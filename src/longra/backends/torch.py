"""The same graph with plain PyTorch operations in float32: the oracle of the native kernels, and the way to a GPU."""

from typing import TYPE_CHECKING, Any

import numpy as np

from longra.arrays import Float32, UInt8
from longra.backends.base import PAGE_TOKENS, Arithmetic, Chunk, check_mass
from longra.errors import FitError, LongraError, UsageError
from longra.files.tensor import Tensor
from longra.graph import (
    Activation,
    Add,
    Attention,
    Embed,
    Graph,
    LayerNorm,
    Linear,
    Multiply,
    Node,
    PositionEmbed,
    RmsNorm,
    Rope,
    in_order,
)

if TYPE_CHECKING:
    import torch

    from longra.files.spec import ModelSpec


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise UsageError("the torch backend needs PyTorch; type `pip install 'longra[torch]'`") from None
    return torch


class TorchBackend:
    """A Backend (see base.py) in float32. Both arithmetics are the same here.

    Args:
        graph: the model; its weights are dequantised once, so they take 4 bytes each.
        spec: the model's description.
        device: as PyTorch names it.

    Raises:
        UsageError: PyTorch is not installed.
        FitError: the graph does not end in a linear layer.
    """

    def __init__(self, graph: Graph, spec: "ModelSpec", device: str = "cpu") -> None:
        self.torch = _torch()
        self.device = device
        if not isinstance(graph.output, Linear):
            raise FitError("a model's output must be a linear layer (the logits)")
        self.output = graph.output
        self.vocabulary = graph.output.width
        self.threads = int(self.torch.get_num_threads())
        self.window = graph.window
        self.identity = f"torch {self.torch.__version__} on {device}"
        self.shape = (spec.layers, spec.kv_heads, spec.head_dim)
        self.page_bytes = 4 * 2 * PAGE_TOKENS * spec.layers * spec.kv_heads * spec.head_dim
        self._weights: dict[int, torch.Tensor] = {}
        self._kept: list[Tensor] = []
        self._keys: list[Any] = []
        self._values: list[Any] = []
        self._mass: Float32 | None = None
        self._order = [node for node in in_order(graph.output) if node is not graph.output]
        self._pack([*self._order, graph.output])

    def reserve(self, pages: int) -> None:
        """Make page numbers 0 to pages - 1 usable: two tensors [layers, 64, kv_heads, head_dim] each, made when used."""
        self._keys += [None] * (pages - len(self._keys))
        self._values += [None] * (pages - len(self._values))

    def settle(self) -> None:
        """Nothing to give back."""

    def copy_page(self, source: int, target: int) -> None:
        """Copy a page's keys and values."""
        if self._keys[source] is not None:
            self._keys[target], self._values[target] = self._keys[source].clone(), self._values[source].clone()

    def slide_page(self, page: int) -> None:
        """Layers with a window keep everything: this backend is for comparison."""

    def read_page(self, page: int) -> UInt8:
        """A copy of a page's keys and values, uint8 [page_bytes]."""
        values: UInt8 = (
            self.torch.stack((self._keys[page], self._values[page])).cpu().numpy().view(np.uint8).reshape(-1)
        )
        return values

    def write_page(self, page: int, data: UInt8) -> None:
        """Put keys and values that `read_page` gave, uint8 [page_bytes], into a page."""
        layers, heads, dim = self.shape
        values = data.view(np.float32).reshape(2, layers, PAGE_TOKENS, heads, dim).copy()
        self._keys[page], self._values[page] = self.torch.from_numpy(values).to(self.device)

    def step(self, chunks: list[Chunk], arithmetic: Arithmetic, mass: Float32 | None = None) -> Float32:
        """Run all chunks; see Backend.step."""
        if mass is not None:
            check_mass(mass, chunks, arithmetic)
        self._mass = mass
        with self.torch.inference_mode():
            rows = [self._chunk(chunk) for chunk in chunks]
            logits: Float32 = self.torch.cat(rows).cpu().numpy()
        return logits

    def _pack(self, nodes: list[Node]) -> None:
        """Dequantise the weights of nodes, each once."""
        for value in (value for node in nodes for value in vars(node).values()):
            if isinstance(value, Tensor) and id(value) not in self._weights:
                self._kept.append(value)
                array = np.ascontiguousarray(value.float32())
                self._weights[id(value)] = self.torch.from_numpy(array).to(self.device)

    def _weight(self, tensor: Tensor) -> "torch.Tensor":
        return self._weights[id(tensor)]

    def _chunk(self, chunk: Chunk) -> "torch.Tensor":
        """Logits [chunk.logits, vocabulary] of one chunk."""
        if int(chunk.tokens.min()) < 0 or int(chunk.tokens.max()) >= self.vocabulary:
            raise UsageError(
                f"token ids must be 0 to {self.vocabulary - 1}; got {chunk.tokens.min()} to {chunk.tokens.max()}"
            )
        values: dict[Node, torch.Tensor] = {}
        for node in self._order:
            values[node] = self._compute(node, chunk, values)
        return self._linear(self.output, values[self.output.x][len(chunk.tokens) - chunk.logits :])

    def _compute(self, node: Node, chunk: Chunk, values: "dict[Node, torch.Tensor]") -> "torch.Tensor":
        value = values.__getitem__
        functional = self.torch.nn.functional
        match node:
            case Embed():
                tokens = self.torch.from_numpy(chunk.tokens.astype(np.int64)).to(self.device)
                result = self._weight(node.table)[tokens] * node.scale
            case PositionEmbed():
                start = chunk.start + node.offset
                result = self._weight(node.table)[start : start + len(chunk.tokens)]
            case RmsNorm():
                result = self._rms_norm(value(node.x), node.weight, node.eps, node.shift)
            case LayerNorm():
                bias = None if node.bias is None else self._weight(node.bias)
                result = functional.layer_norm(value(node.x), (node.width,), self._weight(node.weight), bias, node.eps)
            case Linear():
                result = self._linear(node, value(node.x))
            case Add():
                result = value(node.x) + value(node.y)
            case Multiply():
                result = value(node.x) * value(node.y)
            case Activation(kind="silu"):
                result = functional.silu(value(node.x))
            case Activation(kind="relu"):
                result = functional.relu(value(node.x))
            case Activation():
                form = "tanh" if node.kind == "gelu_tanh" else "none"
                result = functional.gelu(value(node.x), approximate=form)
            case Attention():
                result = self._attention(node, value(node.q), value(node.k), value(node.v), chunk)
            case _:
                raise LongraError(f"the torch backend has no operation for {type(node).__name__}")
        computed: torch.Tensor = result
        return computed

    def _linear(self, node: Linear, x: "torch.Tensor") -> "torch.Tensor":
        bias = None if node.bias is None else self._weight(node.bias)
        result: torch.Tensor = self.torch.nn.functional.linear(x, self._weight(node.weight), bias)
        return result

    def _rms_norm(self, x: "torch.Tensor", weight: Tensor, eps: float, shift: float) -> "torch.Tensor":
        scaled: torch.Tensor = x * self.torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
        return scaled * (self._weight(weight) + shift)

    def _attention(
        self, node: Attention, q: "torch.Tensor", k: "torch.Tensor", v: "torch.Tensor", chunk: Chunk
    ) -> "torch.Tensor":
        rows, end = len(chunk.tokens), chunk.start + len(chunk.tokens)
        q, k, v = (x.reshape(rows, -1, node.head_dim) for x in (q, k, v))
        if node.q_norm is not None:
            q = self._rms_norm(q, node.q_norm, node.norm_eps, node.norm_shift)
        if node.k_norm is not None:
            k = self._rms_norm(k, node.k_norm, node.norm_eps, node.norm_shift)
        if node.rope is not None:
            rope = (node.rope.extended or node.rope) if chunk.extended else node.rope
            q, k = (self._turn(x, rope, chunk.start) for x in (q, k))
        self._write(node.layer, chunk, k, v)
        keys, values = self._read(node.layer, chunk, end)
        group = node.heads // node.kv_heads
        scores = self.torch.einsum("rhd,thd->hrt", q, keys.repeat_interleave(group, 1)) * node.scale
        if node.softcap is not None:
            scores = node.softcap * self.torch.tanh(scores / node.softcap)
        at = self.torch.arange(end, device=self.device)
        position = at[chunk.start :, None]
        seen = at[None] <= position
        if node.window is not None:
            seen &= at[None] > position - node.window
        scores = scores.masked_fill(~seen, float("-inf"))
        if node.sinks is not None:
            sinks = self._weight(node.sinks)[:, None, None].expand(-1, rows, 1)
            scores = self.torch.cat((scores, sinks), -1)
        weights = scores.softmax(-1)[..., :end]
        if self._mass is not None:
            self._mass[:, :end] += weights.sum(0).cpu().numpy()
        mixed: torch.Tensor = self.torch.einsum("hrt,thd->rhd", weights, values.repeat_interleave(group, 1))
        return mixed.reshape(rows, -1)

    def _turn(self, x: "torch.Tensor", rope: Rope, start: int) -> "torch.Tensor":
        """Rotate heads [rows, heads, head_dim]."""
        frequencies = self.torch.tensor(rope.frequencies, dtype=self.torch.float32, device=self.device)
        positions = self.torch.arange(start, start + len(x), dtype=self.torch.float32, device=self.device)
        angles = positions[:, None] * frequencies
        cos, sin = (f(angles)[:, None] * rope.magnitude for f in (self.torch.cos, self.torch.sin))
        pairs = len(rope.frequencies)
        if rope.interleaved:
            a, b = x[..., 0 : 2 * pairs : 2], x[..., 1 : 2 * pairs : 2]
            turned = self.torch.stack((a * cos - b * sin, b * cos + a * sin), -1).flatten(-2)
        else:
            a, b = x[..., :pairs], x[..., pairs : 2 * pairs]
            turned = self.torch.cat((a * cos - b * sin, b * cos + a * sin), -1)
        result: torch.Tensor = self.torch.cat((turned, x[..., 2 * pairs :]), -1)
        return result

    def _write(self, layer: int, chunk: Chunk, k: "torch.Tensor", v: "torch.Tensor") -> None:
        for row in range(len(k)):
            position = chunk.start + row
            page, slot = int(chunk.pages[position // PAGE_TOKENS]), position % PAGE_TOKENS
            if self._keys[page] is None:
                layers, heads, dim = self.shape
                self._keys[page] = self.torch.zeros((layers, PAGE_TOKENS, heads, dim), device=self.device)
                self._values[page] = self.torch.zeros_like(self._keys[page])
            self._keys[page][layer, slot], self._values[page][layer, slot] = k[row], v[row]

    def _read(self, layer: int, chunk: Chunk, end: int) -> "tuple[torch.Tensor, torch.Tensor]":
        """Keys and values [end, kv_heads, head_dim]."""
        pages = [int(page) for page in chunk.pages[: -(-end // PAGE_TOKENS)]]
        keys = self.torch.cat([self._keys[page][layer] for page in pages])[:end]
        values = self.torch.cat([self._values[page][layer] for page in pages])[:end]
        return keys, values
