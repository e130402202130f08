"""`--show-prompt`: what a model would read, and how it would write, without writing anything."""

from typing import TYPE_CHECKING, Any

from longra.cli.shared import console

if TYPE_CHECKING:
    from longra.tasks.plan import Plan
    from longra.text.tidy import Step


def show_prompt(plan: "Plan", steps: "list[Step] | None", as_json: bool) -> None:
    """The prompt, each control token by its name, on stdout; the settings on stderr. As JSON all is one object."""
    tokens = plan.tokens
    prompt = plan.model.tokenizer.decode(tokens, skip_special=False)
    template = None if plan.template is None else plan.template.source
    settings = plan.settings
    tidy = None if steps is None else [str(step) for step in steps]
    if as_json:
        about = {"model": plan.model.name, "template": template, "settings": settings, "tidy": tidy}
        console.result_json({"prompt": prompt, "prompt_tokens": len(tokens), **about})
        return
    console.write(prompt if prompt.endswith("\n") else prompt + "\n")
    console.note(f"{plan.model.name}: {len(tokens):,} tokens; template: {template or 'none'}")
    rows = [(name, _shown(value)) for name, value in {**settings, "tidy": tidy and ",".join(tidy)}.items()]
    console.note(console.table(("SETTING", "VALUE"), rows))


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(repr, value))
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)
