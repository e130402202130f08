"""llama.cpp's part of compare.py, through the xllamacpp wheel: its server, with a slot for each stream."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import xllamacpp as xlc
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
    params = xlc.CommonParams()
    params.model.path = str(given.model)
    params.n_ctx = given.room * given.streams  # it deals them out in equal parts
    params.n_parallel = given.streams
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = given.threads
    params.flash_attn_type = xlc.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.cache_prompt = False
    params.cache_ram_mib = 0
    params.verbosity = 0
    return params


if __name__ == "__main__":
    main()
