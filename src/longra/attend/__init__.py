"""Seeing long range: which earlier passages each sentence drew on, by attention mass over the whole text."""

from longra.attend.look import look
from longra.attend.shares import Attention, Drawing

__all__ = ["Attention", "Drawing", "look"]
