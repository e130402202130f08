"""transformers' part of compare.py: torch's own attention, prompts as one batch.

The weights are bf16 where the processor multiplies it. Elsewhere they stay as the GGUF file has them, for float32
activations, which was the fastest of what there is (prefill and decode of SmolLM2 with AVX2).
"""

import time

import torch
import transformers
from workers.float_weights import float_type, load_floats
from workers.protocol import Setup, serve, setup


def main() -> None:
    """Answer orders until standard input ends."""
    given = setup()
    torch.set_num_threads(given.threads)
    model, weights = _load(given)

    @torch.inference_mode()
    def generate(prompts: list[list[int]], new: int) -> list[list[float]]:
        ids, cache, moments = torch.tensor(prompts), None, []
        for _ in range(new):
            out = model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            ids, cache = out.logits[:, -1:].argmax(-1), out.past_key_values
            moments.append(time.perf_counter())
        return [moments] * len(prompts)

    serve(f"transformers {transformers.__version__}, torch {torch.__version__}, {weights}", generate)


def _load(given: Setup) -> tuple[transformers.PreTrainedModel, str]:
    """The model, and what its weights are."""
    if float_type() == torch.bfloat16:
        return load_floats(given.model, torch.bfloat16), "bf16"
    place = {"pretrained_model_name_or_path": str(given.model.parent), "gguf_file": given.model.name}
    return transformers.AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32).eval(), "the GGUF"


if __name__ == "__main__":
    main()
