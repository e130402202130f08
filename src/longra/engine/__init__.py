"""Tokens in, tokens out: sequences over KV pages, and the loop that runs them."""

from longra.engine.engine import Engine
from longra.engine.handle import Handle
from longra.engine.request import Request, Text

__all__ = ["Engine", "Handle", "Request", "Text"]
