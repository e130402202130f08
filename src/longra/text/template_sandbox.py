"""A Jinja environment for templates that came with a downloaded model, which nobody has read.

Jinja's sandbox keeps a template from Python's insides. It does not keep it from looping for hours or from filling the
memory, so this one also counts: every loop round, call, filter, operator, container and output is charged its size, and
a template that spends more than a budget is stopped. Import this module only to render: it brings in Jinja.
"""

import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_SIZE = 1 << 25
"""Characters and items that one rendering may make in all: thirty times a prompt of a million characters."""
MAX_SECONDS = 2.0
MAX_WIDTH = 1000
"""Of a padded field or an indent."""
MAX_BITS = 4096

# Filters that make much of little or search with patterns; no chat template is known to need one.
_NO_FILTERS = ("batch", "center", "format", "pprint", "slice", "sum", "urlize", "wordwrap", "xmlattr")
_NO_METHODS = frozenset({"translate", "encode", "expandtabs", "format_map"})
_PADDING = frozenset({"center", "ljust", "rjust", "zfill"})
_NARROW = frozenset({"tojson", "indent", "round"})
_WIDE_PRINTF = re.compile(r"%[^a-zA-Z%]*(\d{4,}|\*)")
_WIDE_FORMAT = re.compile(r"\{[^}]*(\d{4,}|\{)")


class BudgetError(Exception):
    """A template took too much time or memory."""


class LimitedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox that counts. One rendering at a time: call `start` before each."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", GenerationBlock])
        self._left = 0
        self._deadline = 0.0
        self.globals.pop("lipsum")
        for name in _NO_FILTERS:
            self.filters.pop(name)
        self.filters["tojson"] = self._tojson
        self.filters = {name: self.limited(name, function) for name, function in self.filters.items()}
        self.start()

    def start(self) -> None:
        """Begin a new budget."""
        self._left = MAX_SIZE
        self._deadline = time.monotonic() + MAX_SECONDS

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """A template that reaches for Python's insides is stopped at once, not given an empty value."""
        raise SecurityError(f"it asked a {type(obj).__name__} for {attribute!r}")

    # What templates compile to

    def tick(self) -> None:
        """One round of a loop or one call of a macro."""
        self.spend(1)

    def spend(self, size: int) -> None:
        """Take `size` characters or items from the budget.

        Raises:
            BudgetError: it is spent, or the time is up.
        """
        self._left -= size
        if self._left < 0:
            raise BudgetError(f"made more than {MAX_SIZE:,} characters and items")
        if time.monotonic() > self._deadline:
            raise BudgetError(f"took longer than {MAX_SECONDS:g} seconds")

    def counted(self, value: Any) -> Any:
        """A value that the template has made, charged with its size; what it holds twice counts twice."""
        self._charge(value)
        return value

    def joined(self, *values: Any) -> str:
        """The operator `~`."""
        for value in values:
            self._charge(value)
        return str(self.counted("".join(map(str, values))))

    def _charge(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                self.spend(1 + len(value))
                continue
            self.spend(1)
            if isinstance(value, Mapping):
                waiting.extend(value.keys())
                waiting.extend(value.values())
            elif isinstance(value, list | tuple | set | frozenset):
                self.spend(len(value))
                waiting.extend(value)

    # What templates call

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """An intercepted operator; its cost is known before it runs."""
        if operator == "*":
            self._check_product(left, right)
        elif operator == "**":
            if not all(isinstance(x, int | float) and abs(x) <= MAX_WIDTH for x in (left, right)):
                raise BudgetError("raised a number to a power out of bounds")
        elif operator == "%" and isinstance(left, str):
            self._check_format(left, "%", _WIDE_PRINTF, right)
        return self.counted(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A call in a template."""
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)  # Jinja wraps str.format
        if owner is self:
            return function(*args)
        if isinstance(owner, bytes):
            raise BudgetError("called a method of bytes")
        if isinstance(owner, str):
            args = self._checked_arguments(owner, function.__name__, args, kwargs)
        return self.counted(super().call(context, function, *args, **kwargs))

    def limited(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that is charged for what it makes, and whose lazy results are lists."""
        value_at = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            options = [*args[value_at + 1 :], *kwargs.values()]
            if name in _NARROW and any(_width(option) > MAX_WIDTH for option in options):
                raise BudgetError(f"asked the filter {name} for more than {MAX_WIDTH:,}")
            if name == "join":
                args = (*args[:value_at], self._listed(args[value_at]), *args[value_at + 1 :])
                self.spend(len(args[value_at]) * max(map(_width, options), default=0))
            elif name == "replace":
                self._charge_replace(str(args[value_at]), *map(str, options))
            elif name == "indent":
                self.spend(str(args[value_at]).count("\n") * max(map(_width, options), default=4))
            result = function(*args, **kwargs)
            return self._listed(result) if isinstance(result, Iterator) else self.counted(result)

        return run

    def _listed(self, items: Iterable[Any]) -> list[Any]:
        made = []
        for item in items:
            self.tick()
            made.append(item)
        self._charge(made)
        return made

    def _checked_arguments(
        self, text: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, ...]:
        """Arguments of a method of strings whose result is not too large."""
        if method in _NO_METHODS:
            raise BudgetError(f"called str.{method}, which is not allowed")
        if method in _PADDING and any(_width(arg) > MAX_WIDTH for arg in args):
            raise BudgetError(f"padded to more than {MAX_WIDTH:,} characters")
        if method == "format":
            self._check_format(text, "{", _WIDE_FORMAT, [*args, *kwargs.values()])
        elif method == "replace":
            self._charge_replace(text, *args, *kwargs.values())
        elif method == "join" and args:
            items = self._listed(args[0])
            self.spend(len(text) * len(items))
            return (items,)
        return args

    def _check_product(self, left: Any, right: Any) -> None:
        if isinstance(left, int) and isinstance(right, int):
            if left.bit_length() + right.bit_length() > MAX_BITS:
                raise BudgetError(f"made a number of more than {MAX_BITS:,} bits")
        elif isinstance(left, int) and isinstance(right, Sized):
            self.spend(max(left, 0) * len(right))
        elif isinstance(right, int) and isinstance(left, Sized):
            self.spend(max(right, 0) * len(left))

    def _check_format(self, text: str, mark: str, wide: re.Pattern[str], values: Any) -> None:
        """Formatting with `text`, where each mark may stand for all the values."""
        if wide.search(text):
            raise BudgetError(f"formatted a field wider than {MAX_WIDTH:,}")
        before = self._left
        self._charge(values)
        self.spend((before - self._left) * text.count(mark))

    def _charge_replace(self, text: str, *args: Any) -> None:
        old, new, *_ = *(arg for arg in args if isinstance(arg, str)), "", ""
        self.spend((len(text) + 1 if not old else text.count(old)) * len(new))

    def _tojson(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | str | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """JSON as transformers writes it for templates: characters as they are, and not escaped for HTML."""
        encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        parts = []
        for part in encoder.iterencode(value):
            self.spend(len(part))
            parts.append(part)
        return "".join(parts)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _Instrument().visit(super()._parse(source, name, filename))  # type: ignore[no-any-return]


class GenerationBlock(Extension):
    """`{% generation %}`, with which templates mark what the assistant said: the text between is printed as it is."""

    tags = {"generation"}  # noqa: RUF012 (Jinja's own name)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Instrument(NodeTransformer):
    """Rewrites a template so that it reports what it makes."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        return self._ticking(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._ticking(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802
        return self._ticking(node)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [part if isinstance(part, nodes.TemplateData) else _call("counted", part) for part in node.nodes]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("joined", *node.nodes)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._counted(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return self._counted(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        return self._counted(node) if node.ctx == "load" else node

    def _ticking(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        node.body = [nodes.ExprStmt(_call("tick"), lineno=node.lineno), *node.body]
        return node  # type: ignore[no-any-return]

    def _counted(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return _call("counted", node)


def _width(option: Any) -> int:
    """How wide an option can make a result: a number as itself, a text as its length."""
    return len(option) if isinstance(option, str) else option if isinstance(option, int) else 0


def _call(method: str, *arguments: nodes.Expr) -> nodes.Call:
    line = arguments[0].lineno if arguments else 1
    return nodes.Call(nodes.EnvironmentAttribute(method), list(arguments), [], None, None, lineno=line)
