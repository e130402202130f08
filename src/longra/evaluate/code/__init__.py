"""Programs that a model writes, measured by whether they pass tests (pass@k)."""
