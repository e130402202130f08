"""The specification's own program, with one import changed: the interface of transformers' AutoModelForCausalLM."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.model import Model

_LOG = logging.getLogger("longra")

# transformers' name -> ours.
_RENAMED = {
    "max_new_tokens": "max_tokens",
    "min_new_tokens": "min_tokens",
    "no_repeat_ngram_size": "no_repeat_ngram",
    "num_return_sequences": "num_sequences",
    "stop_strings": "stop",
}
_OF_SAMPLING = {"temperature", "top_k", "top_p", "min_p", "typical_p"}
_SAME = _OF_SAMPLING | {"repetition_penalty", "seed"}
_OPTIONS = {"threads", "weights", "backend", "context", "rope_scaling"}
_GREEDY = {"temperature": 0.0}
_SAMPLED = {"temperature": 1.0, "top_k": 50, "top_p": 1.0}
_DEFAULT_LENGTH = 20


class AutoModelForCausalLM:
    """A model that is called as transformers' are, and takes and gives text as well as token ids."""

    def __init__(self, model: "Model") -> None:
        self.model = model

    @classmethod
    def from_pretrained(cls, name_or_path: str, **options: Any) -> "AutoModelForCausalLM":
        """Load an installed name, Hub id or path; options are those of `longra.load`."""
        from longra.loading import load

        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise UsageError(f"from_pretrained has no option {unknown[0]!r}; known: {', '.join(sorted(_OPTIONS))}")
        return cls(load(name_or_path, **options))

    def generate(self, inputs: Any = None, *, input_ids: Any = None, **parameters: Any) -> Any:
        """Continue a text or token ids.

        Args:
            inputs: a text, token ids, or a batch of one of them as a list, array or tensor [1, n].
            parameters: as in transformers. `max_length` (20 unless said) counts prompt and new tokens together,
                `max_new_tokens` new ones only; greedy unless `do_sample=True`, whatever the temperature.

        Returns:
            For a text the prompt and its continuation as text; for token ids the ids of both, as a list (a list of
            lists for a batch, or where several sequences are asked for).

        Raises:
            UsageError: a parameter is unknown or out of range, or the prompt is longer than max_length.
        """
        prompt = inputs if inputs is not None else input_ids
        if prompt is None:
            raise UsageError("generate needs a prompt: a text or token ids")
        tokens, batched = self._prompt_tokens(prompt)
        result = self.model.generate(tokens, **self._translate(parameters, len(tokens)))
        whole = [[*tokens, *sequence.token_ids] for sequence in result.sequences]
        if isinstance(prompt, str):
            texts = [prompt + sequence.text for sequence in result.sequences]
            return texts[0] if len(texts) == 1 else texts
        return whole if batched or len(whole) > 1 else whole[0]

    def _prompt_tokens(self, prompt: Any) -> tuple[list[int], bool]:
        if isinstance(prompt, str):
            return self.model.tokenizer.encode(prompt), False
        values = prompt.tolist() if hasattr(prompt, "tolist") else prompt
        if not isinstance(values, Sequence):
            raise UsageError(f"a prompt must be a text or token ids, not {type(prompt).__name__}")
        batched = bool(values) and isinstance(values[0], Sequence)
        if batched and len(values) != 1:
            raise UsageError(f"the batch has {len(values)} prompts; give one, and call again for the others")
        return [int(token) for token in (values[0] if batched else values)], batched

    @staticmethod
    def _translate(parameters: dict[str, Any], prompt_tokens: int) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value is not None}
        sampled = given.pop("do_sample", False)
        ours: dict[str, Any] = dict(_SAMPLED if sampled else _GREEDY)
        if not sampled and (unused := sorted(_OF_SAMPLING & given.keys())):
            _LOG.warning("the text is greedy, without %s: pass do_sample=True to sample", ", ".join(unused))
            given = {name: value for name, value in given.items() if name not in unused}
        length = given.pop("max_length", None)
        if "max_new_tokens" not in given:
            room = (_DEFAULT_LENGTH + prompt_tokens if length is None else length) - prompt_tokens
            if room < 1:
                raise UsageError(
                    f"the prompt has {prompt_tokens} tokens and max_length is {length}, which counts both; "
                    f"pass max_length={prompt_tokens + _DEFAULT_LENGTH} or more"
                )
            ours["max_tokens"] = room
        if "min_length" in given:
            ours["min_tokens"] = max(0, given.pop("min_length") - prompt_tokens)
        if given.get("num_beams") == 1:
            del given["num_beams"]
        for ignored in ("attention_mask", "pad_token_id", "use_cache"):
            given.pop(ignored, None)
        for name, value in given.items():
            if name not in _RENAMED and name not in _SAME:
                known = ", ".join(sorted([*_RENAMED, *_SAME, "do_sample", "max_length"]))
                raise UsageError(f"generate has no parameter {name!r}; known: {known}")
            ours[_RENAMED.get(name, name)] = value
        return ours
