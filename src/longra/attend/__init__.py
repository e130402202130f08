"""Seeing long range: which earlier passages each sentence drew on, by attention mass over the whole text."""
