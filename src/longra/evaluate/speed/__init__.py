"""How fast a model reads and writes, beside what the machine could do."""
