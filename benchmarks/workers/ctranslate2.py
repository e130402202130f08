"""CTranslate2's part of compare.py: the GGUF file's weights in 8 bits, prompts as one batch."""

import json
import tempfile
import time
from pathlib import Path

import ctranslate2
from workers.float_weights import float_folder
from workers.protocol import Setup, serve, setup


def main() -> None:
    """Answer orders until standard input ends."""
    generator, pieces = _load(setup())

    def generate(prompts: list[list[int]], new: int) -> list[list[float]]:
        moments: list[list[float]] = [[] for _ in prompts]

        def hear(step: ctranslate2.GenerationStepResult) -> None:
            moments[step.batch_id].append(time.perf_counter())

        generator.generate_batch(
            [[pieces[token] for token in prompt] for prompt in prompts],
            max_length=new,
            min_length=new,
            sampling_topk=1,
            include_prompt_in_result=False,
            callback=hear,
        )
        return moments

    serve(f"ctranslate2 {ctranslate2.__version__}, {generator.compute_type}", generate)


def _load(given: Setup) -> tuple[ctranslate2.Generator, list[str]]:
    """The model, and the text that stands for each token id."""
    with float_folder(given.model) as weights, tempfile.TemporaryDirectory() as folder:
        ctranslate2.converters.TransformersConverter(weights).convert(folder, quantization="int8", force=True)
        generator = ctranslate2.Generator(folder, intra_threads=given.threads, compute_type="auto")
        return generator, json.loads((Path(folder) / "vocabulary.json").read_text())


if __name__ == "__main__":
    main()
