"""What the side outside tells the side inside."""

import json
from dataclasses import asdict, dataclass

from longra.sandbox.limits import Limits

PROGRAM = "program.py"
"""The program's file in its folder, which is the current one."""


@dataclass(frozen=True)
class Orders:
    """How to lock.

    Attributes:
        limits: what the program may take.
        parent: process id of the side outside.
        ready: descriptor to write to once all is locked.
    """

    limits: Limits
    parent: int
    ready: int

    def as_text(self) -> str:
        """One word of a command line; `from_text` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Orders":
        """Of what `as_text` made."""
        values = json.loads(text)
        return cls(Limits(**values.pop("limits")), **values)
