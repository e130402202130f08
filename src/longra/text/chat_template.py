"""A model's chat template: messages to the text that the model was trained on."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from longra.errors import TemplateError

if TYPE_CHECKING:
    from jinja2 import Template

    from longra.files.checkpoint import Checkpoint
    from longra.text.template_sandbox import LimitedEnvironment

MAX_TEMPLATE = 1 << 20
"""Characters of a template; the longest ones of this field have thirty thousand."""
_TOKENS = ("bos", "eos", "unk", "pad")
_RAW = "pass --raw to send the prompt without a template"


def chat_template(checkpoint: "Checkpoint", name: str = "default") -> "ChatTemplate | None":
    """The chat template of an opened model, or None if it has none.

    A GGUF file has it in its metadata. A Hugging Face folder has it in chat_template.jinja, chat_template.json or
    tokenizer_config.json, where there may be several by name.

    Raises:
        FormatError: a file that should hold the template cannot be read.
    """
    if checkpoint.format == "gguf":
        sources, tokens = _from_gguf(checkpoint.config)
    else:
        sources, tokens = _from_folder(checkpoint.folder)
    source = sources.get(name)
    return None if source is None else ChatTemplate(source, tokens)


class ChatTemplate:
    """A chat template, which is a program by strangers: it runs in a sandbox, with limits of time and size.

    Args:
        source: the template, in the Jinja dialect of transformers.
        tokens: the variables bos_token, eos_token, unk_token and pad_token.
    """

    def __init__(self, source: str, tokens: Mapping[str, str] | None = None) -> None:
        self.source = source
        self._tokens = dict(tokens or {})
        self._lock = threading.Lock()
        self._compiled: tuple[LimitedEnvironment, Template] | None = None

    def render(
        self, messages: Sequence[Mapping[str, Any]], add_generation_prompt: bool = True, **variables: Any
    ) -> str:
        """The text of a conversation. It holds its control tokens by name: encode it with `add_special=False`.

        Args:
            messages: each with "role" (system, user, assistant) and "content".
            add_generation_prompt: end with what makes the model answer.
            variables: whatever else this template knows (`tools`, `enable_thinking`, ...).

        Raises:
            TemplateError: the template is wrong, refused these messages, tried to leave its sandbox, or took too much
                time or memory.
        """
        given = {"tools": None, "documents": None, **self._tokens, **variables}
        given |= {"messages": [dict(message) for message in messages], "add_generation_prompt": add_generation_prompt}
        with self._lock:
            try:
                environment, template = self._compile()
                environment.start()
                return "".join(template.generate(given))
            except Exception as error:  # a template can raise anything
                _explain(error)

    def _compile(self) -> "tuple[LimitedEnvironment, Template]":
        """The environment and the compiled template; Jinja is imported here, when it is first needed."""
        if self._compiled is None:
            if len(self.source) > MAX_TEMPLATE:
                raise TemplateError(f"has {len(self.source):,} characters, over {MAX_TEMPLATE:,}")
            from longra.text.template_sandbox import LimitedEnvironment

            environment = LimitedEnvironment()
            environment.globals |= {"raise_exception": _refuse, "strftime_now": _strftime_now}
            self._compiled = environment, environment.from_string(self.source)
        return self._compiled


class _RefusedError(Exception):
    """The template called raise_exception."""


def _refuse(message: object) -> NoReturn:
    raise _RefusedError(str(message))


def _strftime_now(form: str) -> str:
    from datetime import datetime

    return datetime.now().strftime(form)


def _explain(error: Exception) -> NoReturn:
    from jinja2 import TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError

    from longra.text.template_sandbox import BudgetError

    match error:
        case _RefusedError():
            cause = f"refuses these messages: {error}"
        case SecurityError():
            cause = f"tried to leave its sandbox and was stopped: {error}"
        case BudgetError():
            cause = f"was stopped: it {error}"
        case TemplateSyntaxError():
            cause = f"has a mistake in line {error.lineno}: {error.message}"
        case UndefinedError():
            cause = f"asks for something that is not there: {error}"
        case RecursionError():
            cause = "was stopped: it calls itself without end"
        case TemplateError():
            cause = str(error)
        case _:
            cause = f"failed: {type(error).__name__}: {error}"
    raise TemplateError(f"the model's chat template {cause}; {_RAW}") from error


def _from_gguf(metadata: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Templates by name, and the texts of the tokens that they may use."""
    sources = {"default": metadata.get("tokenizer.chat_template")}
    for key, value in metadata.items():
        if key.startswith("tokenizer.chat_template."):
            sources[key.removeprefix("tokenizer.chat_template.")] = value
    tokens = {}
    texts = metadata.get("tokenizer.ggml.tokens", ())
    for name, key in zip(_TOKENS, ("bos", "eos", "unknown", "padding"), strict=True):
        token = metadata.get(f"tokenizer.ggml.{key}_token_id")
        if isinstance(token, int) and 0 <= token < len(texts):
            tokens[f"{name}_token"] = texts[token]
    return {name: source for name, source in sources.items() if isinstance(source, str)}, tokens


def _from_folder(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Templates by name, and the texts of the tokens that they may use."""
    from longra.text.folder import optional_object, optional_text, token_text  # brings in numpy

    config = optional_object(folder / "tokenizer_config.json")
    stored = config.get("chat_template") or optional_object(folder / "chat_template.json").get("chat_template")
    sources: dict[str, str] = {}
    if isinstance(stored, str):
        sources["default"] = stored
    elif isinstance(stored, list):
        sources = {str(item.get("name")): str(item.get("template")) for item in stored if isinstance(item, dict)}
    beside = {path.stem: path for path in (folder / "additional_chat_templates").glob("*.jinja")}
    beside["default"] = folder / "chat_template.jinja"
    sources |= {name: text for name, path in beside.items() if (text := optional_text(path)) is not None}
    tokens = optional_object(folder / "special_tokens_map.json") | {k: v for k, v in config.items() if v is not None}
    texts = {f"{name}_token": token_text(tokens.get(f"{name}_token")) for name in _TOKENS}
    return sources, {name: text for name, text in texts.items() if text is not None}
