"""Longra's part of compare.py: its engine as `Model.generate` uses it, but no drafts, and end tokens end nothing."""

import time

from workers.protocol import serve, setup

import longra
from longra.engine import Request, Text
from longra.generation.writer import Writer
from longra.sampling import GenerationConfig, Sampler


def main() -> None:
    """Answer orders until standard input ends."""
    given = setup()
    model = longra.load(given.model, threads=given.threads, cache_dir="none")

    def generate(prompts: list[list[int]], new: int) -> list[list[float]]:
        moments: list[list[float]] = [[] for _ in prompts]
        handles = [
            model.engine.submit(Request(prompt, [_text(model, new, times)]))
            for prompt, times in zip(prompts, moments, strict=True)
        ]
        for handle in handles:
            handle.wait()
        return moments

    backend = model.engine.backend
    facts = {"vocabulary": backend.vocabulary, "context": model.spec.context}
    serve(f"longra {longra.__version__}, {backend.isa}", generate, **facts)


def _text(model: longra.Model, new: int, moments: list[float]) -> Text:
    """A text that is sampled and written out as any other, and notes when its tokens came."""
    writer = Writer(model.tokenizer, (), 0, continues=True)

    def watch(text: Text) -> None:
        writer.push(text.choices[-1].token)
        moments.append(time.perf_counter())

    return Text(0, Sampler(GenerationConfig(temperature=0, seed=0)), new, watch)


if __name__ == "__main__":
    main()
