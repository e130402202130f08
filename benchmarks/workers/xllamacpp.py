"""llama.cpp's part of compare.py, through the xllamacpp wheel: its server, with a slot for each stream."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import xllamacpp as xlc
from workers.llama_params import params
from workers.protocol import Setup, serve, setup


def main() -> None:
    """Answer orders until standard input ends."""
    given = setup()
    server = xlc.Server(_params(given))

    def complete(prompt: list[int], new: int) -> list[float]:
        moments: list[float] = []

        def hear(piece: dict[str, Any]) -> None:
            if piece["choices"][0]["finish_reason"] is None:
                moments.append(time.perf_counter())

        request = {"prompt": prompt, "n_predict": new, "temperature": 0, "ignore_eos": True, "stream": True}
        server.handle_completions(request, hear)
        # A token that ends inside a character is not told: one of the later ones stands for it.
        return moments + [time.perf_counter()] * (new - len(moments))

    def generate(prompts: list[list[int]], new: int) -> list[list[float]]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(complete, prompts, [new] * len(prompts)))

    serve(f"xllamacpp {xlc.__version__}", generate)


def _params(given: Setup) -> xlc.CommonParams:
    own = params(str(given.model), given.room, given.streams, given.threads)
    own.cache_prompt = False
    own.cache_ram_mib = 0
    return own


if __name__ == "__main__":
    main()
