"""vLLM's part of compare.py: its build for CPUs, the GGUF file's weights as floats, continuous batching."""

import os
import time

from workers.float_weights import float_folder, float_type
from workers.protocol import serve, setup

_KV_GIB = 4


def main() -> None:
    """Answer orders until standard input ends."""
    given = setup()
    os.environ |= {
        "VLLM_CPU_OMP_THREADS_BIND": f"0-{given.threads - 1}",
        "VLLM_CPU_KVCACHE_SPACE": str(_KV_GIB),
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    }
    import vllm  # reads the environment

    dtype = str(float_type()).removeprefix("torch.")
    with float_folder(given.model) as weights:
        arguments = vllm.EngineArgs(
            weights,
            dtype=dtype,
            max_model_len=given.room,
            max_num_seqs=given.streams,
            enable_prefix_caching=False,
            disable_log_stats=True,
        )
        engine = vllm.LLMEngine.from_engine_args(arguments)

    def generate(prompts: list[list[int]], new: int) -> list[list[float]]:
        params = vllm.SamplingParams(temperature=0, max_tokens=new, ignore_eos=True)
        for number, prompt in enumerate(prompts):
            engine.add_request(str(number), vllm.TokensPrompt(prompt_token_ids=prompt), params)
        moments: list[list[float]] = [[] for _ in prompts]
        while engine.has_unfinished_requests():
            outputs = engine.step()
            now = time.perf_counter()
            for output in outputs:
                times = moments[int(output.request_id)]
                times += [now] * (len(output.outputs[0].token_ids) - len(times))
        return moments

    serve(f"vllm {vllm.__version__}, {dtype}", generate)


if __name__ == "__main__":
    main()
