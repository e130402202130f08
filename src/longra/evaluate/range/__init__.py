"""How far a model's attention reaches: questions of RULER, at chosen lengths and depths."""
