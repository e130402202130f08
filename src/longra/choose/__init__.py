"""Choosing a model: what fits into this machine, how fast it will be here, and what others have measured of it."""

from longra.choose.choice import USUAL_CONTEXT, Advice, Choice, LeftOut, Wish, choose
from longra.choose.machine import Machine, this_machine
from longra.choose.tasks import DEFAULT_TASK, TASKS, Task

__all__ = [
    "DEFAULT_TASK",
    "TASKS",
    "USUAL_CONTEXT",
    "Advice",
    "Choice",
    "LeftOut",
    "Machine",
    "Task",
    "Wish",
    "choose",
    "this_machine",
]
