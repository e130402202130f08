"""Measures a long text by itself."""
