"""A group of verbs that are imported when they are run, so that help and each verb start quickly."""

from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from longra.cli.shared.spread import spread
from longra.errors import UsageError


class LazyGroup(TyperGroup):
    """Verbs by name; each is a module of `package` that holds a function of the same name, or a GROUP of more verbs."""

    package: ClassVar[str]
    verbs: ClassVar[dict[str, str]]
    """Verb -> what it does."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(self.verbs)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in self.verbs:
            return None
        module = import_module(f"{self.package}.{cmd_name}")
        if hasattr(module, "GROUP"):
            return typer.main.get_command(module.GROUP)
        verb = typer.Typer(add_completion=False, rich_markup_mode=None)
        options = getattr(module, "COMMAND_OPTIONS", {})
        verb.command(name=cmd_name, short_help=self.verbs[cmd_name], **options)(spread(getattr(module, cmd_name)))
        return typer.main.get_command(verb)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.verbs and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.verbs, n=1)
            path = ctx.command_path
            hint = f"did you mean `{path} {near[0]}`?" if near else f"`{path} --help` lists them"
            raise UsageError(f"there is no verb {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(self.verbs.items()))
