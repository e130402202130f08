"""What a model holds likely: perplexity, divergence from another model."""
