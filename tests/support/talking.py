"""A tiny model that talks: a random checkpoint with a tokenizer of bytes and a chat template."""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from support import tiny

END = "<|end|>"
TEMPLATE = (
    "{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == (messages[0].role == 'system')) %}"
    "{{ raise_exception('user and assistant must take turns') }}{% endif %}"
    "{{ message.role[0] }}:{{ message.content }}<|end|>{% endfor %}{% if add_generation_prompt %}a:{% endif %}"
)
"""As strict as the strictest: a system message may come first, then user and assistant take turns."""


def make(folder: Path, context: int = 512) -> Path:
    """A checkpoint folder for Longra and for transformers."""
    core = Tokenizer(
        models.BPE({letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, [])
    )
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([END])
    size = core.get_vocab_size()
    tokens = {"bos_token_id": None, "eos_token_id": size - 1}
    tiny.make("llama", folder, vocab_size=size, max_position_embeddings=context, **tokens)
    core.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "chat_template": TEMPLATE}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder
