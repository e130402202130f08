"""A loaded model: text in, text out."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from longra.arrays import Float32
from longra.engine import Engine, Request, Text
from longra.engine.drafts import Drafts
from longra.errors import ContextError, TemplateError, UsageError
from longra.files.spec import ModelSpec
from longra.files.weight_file import WeightFile
from longra.generation.result import Result
from longra.generation.script import Script
from longra.generation.stream import Stream
from longra.models.longer import ContextChange, scaling_of
from longra.sampling import GenerationConfig, Sampler
from longra.sampling.config import configured
from longra.text.chat_template import ChatTemplate
from longra.text.messages import checked_messages
from longra.text.tokenizer import Tokenizer

Prompt = str | Sequence[int] | Sequence[Mapping[str, Any]]


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
        return self.begin(tokens, config, continues)

    def begin(self, tokens: list[int], config: GenerationConfig, continues: bool) -> Stream:
        """As `stream`, from what `encode` gives and a config that names its seed.

        Args:
            tokens: of the prompt.
            config: with a seed.
            continues: the text goes on from the prompt, so a space that begins it is part of it.
        """
        self.check_fits(len(tokens), 1)
        self._check_tokens("logit_bias", config.logit_bias)
        room = self.spec.context - len(tokens)
        script = Script(self.tokenizer, config, continues)
        handle = self.engine.submit(self._request(tokens, config, min(config.max_tokens, room), script))
        return Stream(handle, script, config, model=self.name, room=room, load_seconds=self.load_seconds)

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
        self.check_fits(len(tokens), 0)
        logs: list[float | None] = [None]

        def add(rows: Float32) -> None:
            for row, token in zip(rows, tokens[len(logs) :], strict=False):  # nothing follows the last row
                top = float(row.max())
                total = top + float(np.log(np.exp(row - top).sum(dtype=np.float64)))
                logs.append(float(row[token]) - total)

        self.engine.read(tokens, len(tokens), add, self.spec.extended(len(tokens)))
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
        self.check_fits(len(tokens), 0)
        if not isinstance(last, int) or not 1 <= last <= len(tokens):
            raise UsageError(f"last is {last}; the text has {len(tokens)} positions, choose 1 to {len(tokens)}")
        blocks: list[Float32] = []
        self.engine.read(tokens, last, blocks.append, self.spec.extended(len(tokens)))
        return np.concatenate(blocks)

    def check_fits(self, count: int, least: int) -> None:
        """Refuse a text of `count` tokens that leaves no room for `least` new ones.

        Raises:
            UsageError: there are no tokens.
            ContextError: the context is too short.
        """
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

    def _request(self, tokens: list[int], config: GenerationConfig, most: int, script: Script) -> Request:
        """What the engine is asked for: continuations of up to `most` tokens each."""
        tokenizer = self.tokenizer
        breakers = tokenizer.tokens_with(config.dry_breakers)
        texts = [
            Text(i, Sampler(config, i, tokens, tokenizer.eos_ids, breakers), most, script.add)
            for i in range(config.num_sequences)
        ]
        corpus = self._corpus(config.draft_text) if config.speculation else None
        extended = self.spec.extended(len(tokens) + most)
        return Request(tokens, texts, tokenizer.eos_ids, extended, corpus=corpus)

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
        if isinstance(values, bytes | bytearray):
            raise UsageError("a prompt must be a text, not bytes; decode them first: prompt.decode()")
        if not isinstance(values, Sequence) or not values:
            raise UsageError(f"a prompt must be a text, token ids or messages, not {shortened(prompt)}")
        if not isinstance(values[0], Mapping):
            return self._ids(values), True
        messages = checked_messages(values)
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        if self.template is None:
            raise TemplateError(f"{self.name} has no chat template; pass --raw to continue the text itself")
        return self.tokenizer.encode(self.template.render(messages), add_special=False), False

    def _ids(self, values: Any) -> list[int]:
        """Token ids, checked."""
        if isinstance(values, str | bytes | bytearray):
            raise UsageError(f"token ids are needed, not {shortened(values)}; tokenizer.encode gives those of a text")
        ids = values.tolist() if hasattr(values, "tolist") else list(values)
        for token in ids:
            whole = hasattr(token, "__index__") and not isinstance(token, bool)  # numpy's integers too
            if not whole or not 0 <= token < self.spec.vocabulary:
                raise UsageError(f"{shortened(token)} is no token id; {self.name} has 0 to {self.spec.vocabulary - 1}")
        return [int(token) for token in ids]

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


def _drafts(tokenizer: Tokenizer, text: str) -> Drafts:
    """What continuations may be drafted from."""
    return Drafts(tokenizer.encode(text, add_special=False) if text else ())


def shortened(value: object) -> str:
    """A value as Python writes it, cut to a length that fits into an error."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
