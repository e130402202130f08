"""Running Python that a model wrote: one process that reads Python's libraries, writes in a folder of its own, and no more.

`run_python` is the whole interface. docs/sandbox.md says what the sandbox stops, and what it does not.
"""

from longra.sandbox.limits import Limit, Limits
from longra.sandbox.outcome import Outcome
from longra.sandbox.run import check, run_python

__all__ = ["Limit", "Limits", "Outcome", "check", "run_python"]
