"""Measures models and texts."""
