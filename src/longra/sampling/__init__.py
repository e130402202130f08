"""From logits to the next token: each step a small pure function, put in order by Sampler."""

from longra.sampling.config import GenerationConfig
from longra.sampling.sampler import Choice, Sampler

__all__ = ["Choice", "GenerationConfig", "Sampler"]
