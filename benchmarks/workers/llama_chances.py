"""llama.cpp's part of quality.py, through the xllamacpp wheel. Arguments: model, ids (JSON), where to save.

The JSON holds `ids` and `at`; for each position of `at` the logarithms of the likeliest tokens' probabilities are saved, as
a list of [id, logarithm].
"""

import json
import sys
from pathlib import Path

import xllamacpp as xlc

THREADS = 2
LIKELIEST = 200


def main() -> None:
    """One request a position; what came before it is in the server's cache."""
    model, wanted, save = (Path(argument) for argument in sys.argv[1:])
    given = json.loads(wanted.read_text())
    server = xlc.Server(_params(model, len(given["ids"]) + 1))
    found = []
    for position in given["at"]:
        request = {"prompt": given["ids"][: position + 1], "n_predict": 1, "temperature": 0, "n_probs": LIKELIEST}
        answer = server.handle_completions(request | {"cache_prompt": True})
        (token,) = answer["choices"][0]["logprobs"]["content"]
        found.append([(one["id"], one["logprob"]) for one in token["top_logprobs"]])
    save.write_text(json.dumps(found))


def _params(model: Path, room: int) -> xlc.CommonParams:
    params = xlc.CommonParams()
    params.model.path = str(model)
    params.n_ctx = room
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.flash_attn_type = xlc.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.verbosity = 0
    return params


if __name__ == "__main__":
    main()
