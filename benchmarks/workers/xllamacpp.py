"""llama.cpp's part of compare.py, through the xllamacpp wheel: its own timings of prompt and decoding."""

import json
import random
import sys

sys.path.pop(0)
import xllamacpp as xlc

_DECODED = 32


def main() -> None:
    """Answer commands until standard input ends."""
    path, threads, context = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    params = xlc.CommonParams()
    params.model.path = path
    params.n_ctx = context
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.flash_attn_type = xlc.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.cache_prompt = False
    params.warmup = True
    params.verbosity = 0
    server = xlc.Server(params)
    print(json.dumps({"version": f"xllamacpp {xlc.__version__} ({xlc.BUILD_INFO})"}), flush=True)
    draw = random.Random(0)
    for line in sys.stdin:
        order = json.loads(line)
        prompt = [draw.randrange(1000, 40_000) for _ in range(order["context"])]
        request = {"prompt": prompt, "n_predict": _DECODED, "temperature": 0, "ignore_eos": True, "cache_prompt": False}
        timings = server.handle_completions(request)["timings"]
        key = "prompt_per_second" if order["kind"] == "prefill" else "predicted_per_second"
        print(json.dumps({"tokens_per_second": timings[key]}), flush=True)


if __name__ == "__main__":
    main()
