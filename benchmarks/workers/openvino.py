"""OpenVINO GenAI's part of compare.py: the GGUF file read directly, its own performance metrics."""

import json
import sys

sys.path.pop(0)
import numpy as np
import openvino
import openvino_genai as genai

_DECODED = 32


def main() -> None:
    """Answer commands until standard input ends."""
    path, threads = sys.argv[1], int(sys.argv[2])
    pipe = genai.LLMPipeline(path, "CPU", INFERENCE_NUM_THREADS=threads)
    print(json.dumps({"version": f"openvino-genai {openvino.__version__}"}), flush=True)
    draw = np.random.default_rng(0)
    config = genai.GenerationConfig()
    config.max_new_tokens = _DECODED
    config.ignore_eos = True
    for line in sys.stdin:
        order = json.loads(line)
        ids = openvino.Tensor(draw.integers(1000, 40_000, (1, order["context"]), dtype=np.int64))
        metrics = pipe.generate(
            genai.TokenizedInputs(ids, openvino.Tensor(np.ones(ids.shape, np.int64))), config
        ).perf_metrics
        if order["kind"] == "prefill":
            speed = order["context"] / (metrics.get_ttft().mean / 1000)
        else:
            speed = 1000 / metrics.get_tpot().mean
        print(json.dumps({"tokens_per_second": speed}), flush=True)


if __name__ == "__main__":
    main()
