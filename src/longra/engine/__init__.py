"""Tokens in, tokens out: sequences over KV pages, and the loop that runs them."""

from longra.engine.engine import Engine
from longra.engine.request import Request

__all__ = ["Engine", "Request"]
