"""A pickle machine that executes nothing: it builds plain values and calls only the functions that it is given.

Python's own unpickler, even restricted, can be made to fill the memory (a memo index of 2^31) or to hash for ever
(nested tuples as keys); this one knows only the operations that torch.save writes, and counts them.
"""

import io
import pickletools
from collections.abc import Callable, Mapping
from typing import Any

from longra.errors import FormatError
from longra.files.mapped import AGAIN, shown

MAX_OPERATIONS = 1 << 20
"""A model of 1,000 tensors takes some 40,000."""
MAX_INTEGER_BITS = 128

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NEW = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_INTEGERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"}
_TEXTS = {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "STRING", "SHORT_BINSTRING", "BINSTRING"}
_LITERALS = _INTEGERS | _TEXTS | {"FLOAT", "BINFLOAT", "SHORT_BINBYTES", "BINBYTES"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Global:
    """A name that a pickle may use: a function that REDUCE may call, or a mere mark.

    Attributes:
        name: module and name, as the pickle has it.
        call: what REDUCE does with the arguments; None for a mark.
    """

    def __init__(self, name: str, call: Callable[..., Any] | None = None) -> None:
        self.name = name
        self.call = call


class PickleMachine:
    """Runs one pickle.

    Args:
        names: what the pickle may name.
        persistent: makes an object of a persistent id.
        source: the file's name, for errors.
    """

    def __init__(self, names: Mapping[str, Global], persistent: Callable[[Any], Any], source: str) -> None:
        self._names = names
        self._persistent = persistent
        self._source = source
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: io.BytesIO) -> Any:
        """Read one pickle from the stream, leaving it after the pickle's end, and return its value.

        Raises:
            FormatError: the pickle is cut off, names something else, or uses an operation that weights do not need.
        """
        try:
            for count, (operation, argument, _) in enumerate(pickletools.genops(stream)):
                if count >= MAX_OPERATIONS:
                    raise self._fail(f"takes more than {MAX_OPERATIONS:,} operations")
                self._step(operation.name, argument)
            return self._stack.pop()
        except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
            # Values of a damaged pickle do not fit the operations: a pop of nothing, a missing memo, a key of a list.
            raise self._fail(f"is cut off or corrupt ({type(error).__name__}: {str(error)[:200]})") from error

    def _fail(self, cause: str, next_step: str = AGAIN) -> FormatError:
        return FormatError(f"{self._source}: the pickle {cause}; {next_step}")

    def _refuse(self, what: str) -> FormatError:
        return self._fail(
            f"asks for {what}, which weights do not need; nothing of it was executed",
            "do not trust this file, and look for a safetensors or GGUF copy of the model",
        )

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _LITERALS:
            if isinstance(argument, int) and argument.bit_length() > MAX_INTEGER_BITS:
                raise self._fail(f"has an integer of {argument.bit_length():,} bits")
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _NEW:
            stack.append(_NEW[name]())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name in _TUPLES:
            stack.append(tuple(self._pop_from(len(stack) - _TUPLES[name])))
        elif name in _HANDLERS:
            _HANDLERS[name](self, argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise self._refuse(f"the operation {name}")

    def _pop_from(self, start: int) -> list[Any]:
        if start < 0:
            raise IndexError("pop from an empty stack")
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _pop_mark(self) -> list[Any]:
        return self._pop_from(self._marks.pop())

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._pop_mark()))

    def _list(self, _: Any) -> None:
        self._stack.append(self._pop_mark())

    def _append(self, _: Any) -> None:
        self._extend(self._pop_from(len(self._stack) - 1))

    def _appends(self, _: Any) -> None:
        self._extend(self._pop_mark())

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], list):
            raise TypeError("items for what is not a list")
        self._stack[-1].extend(items)

    def _set_item(self, _: Any) -> None:
        self._update(self._pop_from(len(self._stack) - 2))

    def _set_items(self, _: Any) -> None:
        self._update(self._pop_mark())

    def _dict(self, _: Any) -> None:
        items = self._pop_mark()
        self._stack.append({})
        self._update(items)

    def _update(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], dict) or len(items) % 2:
            raise TypeError("keys and values for what is not a dict")
        self._stack[-1].update(plain_dict(zip(items[::2], items[1::2], strict=True)))

    def _global(self, argument: str) -> None:
        self._find(argument.replace(" ", "."))

    def _stack_global(self, _: Any) -> None:
        module, name = self._pop_from(len(self._stack) - 2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a global's name that is not text")
        self._find(f"{module}.{name}")

    def _find(self, name: str) -> None:
        if name not in self._names:
            raise self._refuse(shown(name))
        self._stack.append(self._names[name])

    def _reduce(self, _: Any) -> None:
        function, arguments = self._pop_from(len(self._stack) - 2)
        if not isinstance(function, Global) or function.call is None or not isinstance(arguments, tuple):
            raise self._refuse("a call of what is not a function")
        self._stack.append(function.call(*arguments))

    def _build(self, _: Any) -> None:
        """Attributes of an object (`_metadata` of a state dict): weights need none."""
        self._pop_from(len(self._stack) - 1)

    def _persistent_id(self, _: Any) -> None:
        self._stack.append(self._persistent(self._stack.pop()))


_HANDLERS: dict[str, Callable[[PickleMachine, Any], None]] = {
    "TUPLE": PickleMachine._tuple,
    "LIST": PickleMachine._list,
    "DICT": PickleMachine._dict,
    "APPEND": PickleMachine._append,
    "APPENDS": PickleMachine._appends,
    "SETITEM": PickleMachine._set_item,
    "SETITEMS": PickleMachine._set_items,
    "GLOBAL": PickleMachine._global,
    "STACK_GLOBAL": PickleMachine._stack_global,
    "REDUCE": PickleMachine._reduce,
    "BUILD": PickleMachine._build,
    "BINPERSID": PickleMachine._persistent_id,
}


def plain_dict(pairs: Any) -> dict[str | int, Any]:
    """A dict of (key, value) pairs whose keys are text or integers, so that hashing takes no time.

    Raises:
        TypeError: a key is something else.
    """
    result = {}
    for key, value in pairs:
        if not isinstance(key, str | int):
            raise TypeError("a key that is neither text nor an integer")
        result[key] = value
    return result
