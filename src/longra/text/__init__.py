"""Text in and out of a model: tokenizers, streams of decoded tokens, chat templates, scripts of languages."""
