"""llama.cpp's part of quality.py, through the xllamacpp wheel. Arguments: model, ids (JSON), where to save.

The JSON holds `ids` and `at`; for each position of `at` the logarithms of the likeliest tokens' probabilities are saved, as
a list of [id, logarithm].
"""

import json
import sys
from pathlib import Path

import xllamacpp as xlc
from workers.llama_params import params

THREADS = 2
LIKELIEST = 200


def main() -> None:
    """One request a position; what came before it is in the server's cache."""
    model, wanted, save = (Path(argument) for argument in sys.argv[1:])
    given = json.loads(wanted.read_text())
    server = xlc.Server(params(str(model), len(given["ids"]) + 1, streams=1, threads=THREADS))
    found = []
    for position in given["at"]:
        request = {"prompt": given["ids"][: position + 1], "n_predict": 1, "temperature": 0, "n_probs": LIKELIEST}
        answer = server.handle_completions(request | {"cache_prompt": True})
        (token,) = answer["choices"][0]["logprobs"]["content"]
        found.append([(one["id"], one["logprob"]) for one in token["top_logprobs"]])
    save.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
