import numpy as np
import numpy.typing as npt

PAGE_TOKENS: int
MAX_ROWS: int

def usable() -> list[str]: ...
def features() -> list[str]: ...
def trim() -> None: ...

_Norm = tuple[bool, int, int, float, float]

class Plan:
    def __init__(self, threads: int, isa: str) -> None: ...
    def matrix(self, kind: str, rows: int, inputs: int, target: str) -> int: ...
    def fill(self, matrix: int, kind: str, stored: npt.NDArray[np.uint8], row_bytes: int, first: int) -> None: ...
    def vector(self, values: npt.NDArray[np.float32]) -> int: ...
    def buffer(self, width: int, logits_rows: bool) -> int: ...
    def rope(
        self,
        plain: list[float],
        plain_magnitude: float,
        extended: list[float],
        extended_magnitude: float,
        interleaved: bool,
    ) -> int: ...
    def cache(self, layers: int, kv_heads: int, head_dim: int, kind: str) -> None: ...
    def embed(self, table: int, to: int, scale: float) -> None: ...
    def position(self, table: int, to: int, offset: int) -> None: ...
    def norm(self, source: int, to: int, norm: _Norm, accumulate: bool) -> None: ...
    def rows(self, what: str, source: int, to: int, kind: str = "silu") -> None: ...
    def linear(
        self,
        source: int,
        to: int,
        input: str,
        norm: _Norm,
        kind: str,
        parts: list[tuple[int, int, int]],
        add: bool,
        finish_gate: bool,
        finish_activate: bool,
        operand_ready: bool,
    ) -> None: ...
    def attention(
        self,
        q: tuple[int, int],
        k: tuple[int, int],
        v: tuple[int, int],
        to: int,
        layer: int,
        rope: int,
        heads: int,
        kv_heads: int,
        head_dim: int,
        scale: float,
        softcap: float,
        window: int,
        q_norm: int,
        k_norm: int,
        k_shift: int,
        k_scale: int,
        sinks: int,
        eps: float,
        shift: float,
    ) -> None: ...
    def reserve(self, pages: int) -> None: ...
    def copy_page(self, source: int, target: int) -> None: ...
    def read_page(self, page: int, out: npt.NDArray[np.uint8]) -> None: ...
    def write_page(self, page: int, data: npt.NDArray[np.uint8]) -> None: ...
    def step(
        self,
        decode: bool,
        tokens: npt.NDArray[np.int32],
        segments: list[tuple[int, int, int, bool]],
        pages: npt.NDArray[np.int32],
        logit_rows: npt.NDArray[np.int32],
        out: npt.NDArray[np.float32],
        mass: npt.NDArray[np.float32] | None = None,
    ) -> None: ...
    def read_rate(self, bytes: int) -> float: ...
    def multiply_rate(self) -> float: ...
    @property
    def product_bytes(self) -> int: ...
    @property
    def product_weights(self) -> int: ...
    @property
    def weight_bytes(self) -> int: ...
    @property
    def page_bytes(self) -> int: ...
