"""What a model is used for: each task brings its form of prompt and its rules."""
