"""transformers' part of compare.py: the GGUF file's weights in bf16, torch's own attention."""

import json
import sys
import time
from pathlib import Path
from statistics import median

# The folder of this script holds a file of the package's name; leave it out of the path before importing the package.
sys.path.pop(0)
import torch
import transformers as package

_DECODED = 32


def main() -> None:
    """Answer commands until standard input ends."""
    path, threads = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    model = package.AutoModelForCausalLM.from_pretrained(
        str(path.parent), gguf_file=path.name, dtype=torch.bfloat16, attn_implementation="sdpa"
    ).eval()
    version = f"transformers {package.__version__}, torch {torch.__version__}, bf16"
    print(json.dumps({"version": version}), flush=True)
    draw = torch.Generator().manual_seed(0)
    for line in sys.stdin:
        order = json.loads(line)
        ids = torch.randint(1000, 40_000, (1, order["context"]), generator=draw)
        with torch.inference_mode():
            speed = _measure(model, ids, order["kind"])
        print(json.dumps({"tokens_per_second": speed}), flush=True)


def _measure(model: package.PreTrainedModel, ids: torch.Tensor, kind: str) -> float:
    """Tokens a second of reading the ids, or of single steps after them."""
    start = time.perf_counter()
    out = model(ids, use_cache=True, logits_to_keep=1)
    token = out.logits[:, -1:].argmax(-1)
    if kind == "prefill":
        return ids.shape[1] / (time.perf_counter() - start)
    seconds = []
    for _ in range(_DECODED):
        start = time.perf_counter()
        out = model(token, past_key_values=out.past_key_values, use_cache=True)
        token = out.logits[:, -1:].argmax(-1)
        seconds.append(time.perf_counter() - start)
    return 1 / median(seconds)


if __name__ == "__main__":
    main()
