"""The other part of quality.py: a model's float32 logits by transformers. Arguments: model, ids (JSON), where to save.

The JSON holds `ids` and `at`, the positions whose logits are wanted; they are saved as float32 [positions, vocabulary].
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from workers.float_weights import load_floats


def main() -> None:
    """One pass over all ids."""
    model, wanted, save = (Path(argument) for argument in sys.argv[1:])
    given = json.loads(wanted.read_text())
    with torch.inference_mode():
        out = load_floats(model, torch.float32)(
            torch.tensor([given["ids"]]), logits_to_keep=torch.tensor(given["at"]), use_cache=False
        )
    np.save(save, out.logits[0].float().numpy())


if __name__ == "__main__":
    main()
