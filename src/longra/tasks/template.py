"""Task templates: readable YAML that says what a model reads for a task, and how it then writes.

    task: text                     # whose fields the texts may use, see FIELDS
    about: A reply to a letter.    # one line, for `longra templates`
    chat:                          # read by a model with a chat template
      system: You answer letters.  # may be left out
      user: "{{ request }}"
      answer: "Dear"               # may be left out: how the answer begins
      more: Go on with the letter. # may be left out: what is said when the answer was too short
      stop: ["P.S."]               # may be left out: the text ends before one of these
    base:                          # read by a model without one, which goes on with a text
      text: "{{ request }}\\n\\nDear"
      stop: ["\\n\\n\\n"]
    sampling: {temperature: 0.6}   # fields of GenerationConfig
    tidy: default                  # steps of `longra tidy`, or none

`chat` or `base` may be left out. The texts are Jinja, in the sandbox of chat templates: a template can read its fields
and nothing else.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from longra.errors import TemplateError, UsageError
from longra.sampling import GenerationConfig
from longra.sampling.config import changed
from longra.tasks.template_file import FIELDS, FORMS, read_template
from longra.tasks.template_places import find_template

Message = dict[str, str]
"""With "role" and "content", as `Model.generate` takes it."""


@dataclass(frozen=True)
class Template:
    """A task's template.

    Attributes:
        name: what it is called: the file's name without `.yaml`.
        source: the file, as an error names it.
        task: a key of FIELDS.
        about: what it is for, in a line.
        chat: the texts `system`, `user`, `answer`, `more` for models with a chat template; None where there are none.
        base: the text `text` for other models; None where there is none.
        stops: of "chat" and of "base": the text ends before one of these.
        defaults: fields of `GenerationConfig` and their values.
        tidy: steps as `longra tidy --steps` takes them; None leaves the text as it is.
    """

    name: str
    source: str
    task: str
    about: str
    chat: Mapping[str, str] | None
    base: Mapping[str, str] | None
    stops: Mapping[str, tuple[str, ...]]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    tidy: str | None = None

    @classmethod
    def load(cls, name_or_path: str | Path, task: str | None = None) -> "Template":
        """The user's template of this name, else Longra's own, or the one in a file.

        Args:
            task: what it must be for; None takes any.

        Raises:
            TemplateError: the file cannot be read, or is wrong: the message names the file, the key and what is allowed.
            UsageError: there is no such template, or it is for another task.
        """
        path = find_template(str(name_or_path))
        found = cls(path.name.removesuffix(".yaml"), str(path), **read_template(path))
        if task is not None and found.task != task:
            raise UsageError(f"{found.source} is for the task {found.task}, not {task}; choose another --template")
        return found

    def prompt(self, chat: bool, **fields: Any) -> list[Message] | str:
        """What a model is to read; `longra.tasks.prompting` makes tokens of it.

        Args:
            chat: whether the model has a chat template.
            fields: values of the task's fields; those left out are empty.

        Returns:
            for a chat messages, the last of which may be the assistant's: the answer goes on from it. Else a text.

        Raises:
            TemplateError: the template has no form for such a model, or its Jinja failed.
        """
        texts = self._form(chat)
        if not chat:
            return self._render("base.text", texts["text"], fields)
        roles = {"system": "system", "user": "user", "answer": "assistant"}
        made = {role: self._render(f"chat.{key}", texts[key], fields) for key, role in roles.items() if key in texts}
        return [{"role": role, "content": content} for role, content in made.items() if content]

    def more(self, **fields: Any) -> str | None:
        """What is said to a chat model whose answer was too short; None where the template has nothing of the kind."""
        text = (self.chat or {}).get("more")
        return None if text is None else self._render("chat.more", text, fields)

    def config(self, chat: bool, config: GenerationConfig | None = None, **given: Any) -> GenerationConfig:
        """How to generate: what is given, else what `config` says, else the template's defaults.

        The template's stop strings come before the others.
        """
        made = changed(GenerationConfig(**self.defaults) if config is None else config, given)
        return replace(made, stop=(*self.stops.get(_kind(chat), ()), *made.stop))

    def _form(self, chat: bool) -> Mapping[str, str]:
        texts = self.chat if chat else self.base
        if texts is None:
            has = "a chat template" if chat else "no chat template"
            raise TemplateError(
                f"{self.source} has no `{_kind(chat)}:`, which a model with {has} reads; "
                f"add it, with {', '.join(FORMS[_kind(chat)])}, or choose another model or --template"
            )
        return texts

    def _render(self, key: str, text: str, fields: Mapping[str, Any]) -> str:
        try:
            return _compiled(text).render({**dict.fromkeys(FIELDS[self.task], ""), **fields})
        except Exception as error:  # a template can raise anything
            raise TemplateError(f"{self.source}, `{key}`: {error or type(error).__name__}") from error


class _Compiled:
    """A text of a template, ready to be filled in by any thread."""

    def __init__(self, text: str) -> None:
        from longra.text.template_sandbox import LimitedEnvironment  # brings in Jinja

        self._environment = LimitedEnvironment()
        self._template = self._environment.from_string(text)
        self._lock = threading.Lock()

    def render(self, fields: Mapping[str, Any]) -> str:
        with self._lock:
            self._environment.start()
            return self._template.render(fields)


_compiled = lru_cache(_Compiled)
"""A translation fills the same few texts in for each sentence."""


def _kind(chat: bool) -> str:
    return "chat" if chat else "base"
