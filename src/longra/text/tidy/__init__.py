"""Tidying a generated text: a pipeline of small named steps, each of which tells what it changed."""

from longra.text.tidy.change import Change, Note, TidyResult
from longra.text.tidy.pipeline import tidy
from longra.text.tidy.steps import DEFAULT_STEPS, SUMMARIES, Step, parse_steps

__all__ = ["DEFAULT_STEPS", "SUMMARIES", "Change", "Note", "Step", "TidyResult", "parse_steps", "tidy"]
